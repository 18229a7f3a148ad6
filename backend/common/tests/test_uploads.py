"""Stored files: names of our own, and none that nobody keeps."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.db import transaction

from common import uploads
from common.tests.sounds import kept, passing, sound, upload
from music.models import MusicFile

__all__ = ["passing"]

FIELD = MusicFile._meta.get_field("file")


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Tea.mp3", "Tea"),
        ("My_great__song.flac", "My great song"),
        ("no ending", "no ending"),
        ("Ka\u0308se.mp3", "Käse"),
        ("a\x07b\u202ec.mp3", "a b c"),
        (".mp3", ".mp3"),
        ("   .mp3", "Untitled"),
        ("x" * 300 + ".mp3", "x" * 200),
    ],
)
def test_titles_of_files(name, title):
    file = upload(b"x", "placeholder")
    file._name = name
    assert uploads.title_of(file) == title


def test_stored_under_a_name_of_our_own(settings):
    with uploads.stored(FIELD, ContentFile(b"x", "../evil.exe"), "audio/flac") as name:
        assert name.startswith("music/")
        assert name.endswith(".flac")
    assert kept(settings) == [name]


def test_a_failing_block_removes_the_file(settings):
    with pytest.raises(KeyboardInterrupt), uploads.stored(FIELD, ContentFile(b"x"), "audio/flac"):
        raise KeyboardInterrupt
    assert kept(settings) == []


def test_a_full_disk_leaves_no_part_of_a_file(settings):
    """The storage writes to the final name; what it wrote before it failed goes."""

    class Endless(ContentFile):
        def chunks(self, chunk_size=None):
            yield b"beginning"
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"), uploads.stored(FIELD, Endless(b""), "audio/flac"):
        pass
    assert kept(settings) == []


class Remote:
    """A file in a storage that has no paths."""

    name = "x.flac"

    @property
    def path(self):
        raise NotImplementedError

    def open(self, mode):
        return ContentFile(b"far away")


def test_a_remote_file_is_copied_for_as_long_as_it_is_read():
    with uploads.local_copy(Remote()) as path:
        assert path.read_bytes() == b"far away"
        assert path.suffix == ".flac"
    assert not path.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("everything")
def test_files_go_with_their_row_after_the_commit(shop, settings):
    """However the row goes: here with its business. Rolled back, the file stays."""
    with uploads.stored(FIELD, ContentFile(sound()), "audio/mpeg") as name:
        MusicFile.objects.create(client=shop.client, name="x", file=name, file_size=1, duration=1)
    with transaction.atomic():
        MusicFile.objects.all().delete()
        transaction.set_rollback(True)
    assert kept(settings) == [name]
    shop.client.delete()
    assert not MusicFile.objects.exists()
    assert kept(settings) == []
