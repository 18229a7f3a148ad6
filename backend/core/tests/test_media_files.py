"""Files that no row names go, rows without their file are told, and a storage is never emptied by mistake."""

from __future__ import annotations

import logging
import os
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from announcements.models import Announcement, SpeechClip
from common import clock, media_files
from common.environment import S3
from common.tasks import sweep_media
from common.uploads import stored
from music.models import MusicFile
from testing.s3 import in_bucket

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everything")]

LATER = timedelta(days=2)


@pytest.fixture(params=["local", "s3"])
def storage(request: pytest.FixtureRequest, settings: Any) -> Any:
    """The storage in use, of either kind."""
    if request.param == "s3":
        s3: S3 = request.getfixturevalue("bucket")
        settings.STORAGES = in_bucket(settings.STORAGES, s3)
    return default_storage


def keep(folder: str) -> str:
    """A stored file that nobody names yet."""
    return str(default_storage.save(f"{folder}/{uuid4().hex}.mp3", ContentFile(b"12345")))


def everywhere() -> set[str]:
    """All files of the storage."""
    return {
        stored.name
        for folder in ("music", "announcements", "speech", "avatars", "foreign")
        for stored in default_storage.listing(folder)
    }


def named_by_rows(shop: Any) -> set[str]:
    """A file for each column."""
    music, audio, source, clip, face = (
        keep(folder)
        for folder in (
            "music/2026/01",
            "announcements/2026/01",
            "announcements/sources/2026/01",
            "speech/x",
            "avatars",
        )
    )
    MusicFile.objects.create(client=shop.client, name="x", file=music, file_size=5, duration=1)
    Announcement.objects.create(
        client=shop.client, title="x", type="uploaded", audio_file=audio, source_file=source
    )
    SpeechClip.objects.create(
        client=shop.client, file=clip, file_size=5, duration_ms=1, used_at=clock.now(), key="k"
    )
    shop.admin.avatar = face
    shop.admin.save()
    return {music, audio, source, clip, face}


def test_each_column_keeps_its_files(shop: Any, storage: Any) -> None:
    assert {column.label for column in media_files.columns()} == {
        "music.MusicFile.file",
        "announcements.Announcement.audio_file",
        "announcements.Announcement.source_file",
        "announcements.SpeechClip.file",
        "users.User.avatar",
    }
    named = named_by_rows(shop)
    orphans = {keep(folder) for folder in ("music/2026/01", "announcements/sources/2026/01", "avatars")}
    not_ours = {
        default_storage.save(name, ContentFile(b"x"))
        for name in ("music/notes.txt", f"foreign/{uuid4().hex}")
    }

    young = media_files.remove_orphans(now=clock.now())
    assert (young.files, young.orphans) == (8, 0), "what is younger than a day may be a running upload's"
    assert everywhere() == named | orphans | not_ours

    tally = media_files.remove_orphans(now=clock.now() + LATER)
    assert (tally.files, tally.size, tally.orphans, tally.orphan_size) == (8, 40, 3, 15)
    assert everywhere() == named | not_ours
    assert tally.named == media_files.rows_with_files() == 5


def test_what_a_killed_worker_leaves_is_found(shop: Any, settings: Any) -> None:
    """It wrote the file and died before the commit; and one died in the middle of writing."""
    child = os.fork()
    if not child:
        with stored(MusicFile._meta.get_field("file"), ContentFile(b"x"), "audio/mpeg"):
            os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    assert len(everywhere()) == 1
    part = Path(settings.MEDIA_ROOT) / "music" / f".{uuid4().hex}.mp3.{uuid4().hex}"
    part.write_bytes(b"half")
    assert media_files.remove_orphans(now=clock.now() + LATER).orphans == 2
    assert everywhere() == set()


def test_the_command_removes_only_when_told(shop: Any, storage: Any) -> None:
    named, orphan = named_by_rows(shop), keep("music")
    told = StringIO()
    call_command("check_media", "--hours=-1", stdout=told)
    assert f"orphan: {orphan} (5 bytes" in told.getvalue()
    assert everywhere() == named | {orphan}
    call_command("check_media", "--hours=-1", "--remove", stdout=told)
    assert everywhere() == named


def test_a_missing_file_is_told(shop: Any, storage: Any, caplog: pytest.LogCaptureFixture) -> None:
    named_by_rows(shop)
    lost = MusicFile.objects.get()
    default_storage.delete(lost.file.name)
    told = StringIO()
    with pytest.raises(CommandError, match="Restore"):
        call_command("check_media", stdout=told)
    assert f"missing: {lost.file.name} of music.MusicFile.file {lost.pk}\n" in told.getvalue()
    with caplog.at_level(logging.ERROR):
        sweep_media()
    assert [record.getMessage() for record in caplog.records] == [
        f"the file {lost.file.name} of music.MusicFile.file {lost.pk} is not in the storage"
    ]


def test_the_wrong_database_empties_no_storage(
    shop: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Another installation's bucket, or a database of yesterday."""
    monkeypatch.setattr(media_files, "FEW", 3)
    monkeypatch.setattr(media_files, "GRACE", timedelta(days=-1))
    monkeypatch.setattr(
        media_files.remove_orphans, "__kwdefaults__", {"grace": timedelta(days=-1), "anyway": False}
    )
    files = {keep("music") for _ in range(4)}
    sweep_media()
    assert "4 of 4 files have no row" in caplog.text
    with pytest.raises(CommandError, match="--anyway"):
        call_command("check_media", "--hours=-1", "--remove", stdout=StringIO())
    assert everywhere() == files
    call_command("check_media", "--hours=-1", "--remove", "--anyway", stdout=StringIO())
    assert everywhere() == set()


def test_memory_and_queries_do_not_grow_with_the_files(
    shop: Any, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    """A listing of 5,000 is taken in parts: no more of it exists at once, and each part is one query a column."""
    alive = most = 0

    class Watched(media_files.Stored):
        __slots__ = ()

        def __init__(self, *args: Any) -> None:
            nonlocal alive, most
            super().__init__(*args)
            alive += 1
            most = max(most, alive)

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def listing(folder: str) -> Any:
        if folder == "music":
            yield from (Watched(f"music/{number:032x}.mp3", 1, clock.now()) for number in range(5000))

    monkeypatch.setattr(
        media_files, "_media", lambda: type("Endless", (), {"listing": staticmethod(listing)})
    )
    with django_assert_num_queries(5000 // media_files.AT_ONCE * 5):
        assert media_files.survey(before=clock.now() + LATER).orphans == 5000
    assert most <= 2 * media_files.AT_ONCE + 2
