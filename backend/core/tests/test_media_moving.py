"""Moving media: killed in the middle, twice at once, either way, and no row without its file at any moment."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections import Counter
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from common import media_moving
from common.environment import S3
from common.media_moving import Asset, Fate, move
from common.s3 import S3Media
from common.storages import LocalMedia, media
from music.models import MusicFile
from testing.s3 import in_bucket

MANY = 6
SIZE = 3 * 64 * 1024 + 17


def content_of(number: int) -> bytes:
    return bytes([number]) * SIZE


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


FILES = [Asset(f"music/{number:032x}.mp3", digest_of(content_of(number))) for number in range(MANY)]


@pytest.fixture(params=["local to s3", "s3 to local"])
def way(request: pytest.FixtureRequest, tmp_path: Path, bucket: S3) -> Callable[[], tuple[Any, Any]]:
    """Opens source and target; the source holds FILES. Each process opens its own."""

    def opened() -> tuple[Any, Any]:
        local = LocalMedia(location=str(tmp_path / "media"))
        far = S3Media(s3=bucket, longest_play_s=1)
        return (local, far) if request.param == "local to s3" else (far, local)

    source, _ = opened()
    for number, asset in enumerate(FILES):
        source.put(asset.name, io.BytesIO(content_of(number)))
    return opened


def intact(target: Any) -> set[str]:
    """What the target shows; each of it must be whole."""
    shown = {stored.name for stored in target.listing("music")} & {asset.name for asset in FILES}
    known = {asset.name: asset.sha256 for asset in FILES}
    for name in shown:
        with target.open(name) as file:
            assert digest_of(file.read()) == known[name], name
    return shown


class Dying:
    """A source whose reader is killed at its nth read, wherever that is."""

    def __init__(self, source: Any, reads: int) -> None:
        self._source, self._left, self._lock = source, reads, threading.Lock()

    def size(self, name: str) -> int:
        return int(self._source.size(name))

    def open(self, name: str) -> Any:
        file, dying = self._source.open(name), self

        class File(io.BufferedIOBase):
            def read(self, size: int | None = -1) -> bytes:
                with dying._lock:
                    dying._left -= 1
                    if not dying._left:
                        os.kill(os.getpid(), 9)
                return bytes(file.read(min(size, 64 * 1024) if size and size > 0 else size))

            def seek(self, place: int, whence: int = 0) -> int:
                return int(file.file.seek(place, whence))

            def tell(self) -> int:
                return int(file.file.tell())

            def seekable(self) -> bool:
                return True

        return File()


@pytest.mark.parametrize("reads", [3, 16])
def test_killed_and_begun_again(way: Callable[[], tuple[Any, Any]], reads: int) -> None:
    child = os.fork()
    if not child:
        source, target = way()
        list(move(FILES, Dying(source, reads), target, at_once=2))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == 9
    source, target = way()
    before = intact(target)
    assert len(before) < MANY

    fates = Counter(moved.fate for moved in move(FILES, source, target))
    assert fates == Counter({Fate.COPIED: MANY - len(before), Fate.THERE: len(before)}) - Counter()
    assert len(intact(target)) == len(intact(source)) == MANY


def test_two_at_once(way: Callable[[], tuple[Any, Any]]) -> None:
    outcomes: list[Fate] = []

    def run() -> None:
        outcomes.extend(moved.fate for moved in move(FILES, *way()))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(outcomes), set(outcomes) <= {Fate.COPIED, Fate.THERE}) == (2 * MANY, True)
    source, target = way()
    assert len(intact(target)) == len(intact(source)) == MANY


def test_a_copy_that_differs_is_found(way: Callable[[], tuple[Any, Any]]) -> None:
    source, target = way()
    target.put(FILES[0].name, io.BytesIO(b"x" * SIZE))
    target.put(FILES[1].name, io.BytesIO(b"short"))
    fates = {moved.asset.name: moved.fate for moved in move(FILES[:2], source, target)}
    assert fates == {FILES[0].name: Fate.THERE, FILES[1].name: Fate.COPIED}
    assert [moved.fate for moved in move(FILES[:2], source, target, thorough=True)].count(Fate.COPIED) == 1
    assert len(intact(target)) == 2


def test_a_storage_that_keeps_something_else_is_found_out(way: Callable[[], tuple[Any, Any]]) -> None:
    source, target = way()
    honest = target.put
    target.put = lambda name, content: honest(name, io.BytesIO(b"something else"))
    assert [moved.fate for moved in move(FILES[:1], source, target)] == [Fate.UNFAITHFUL]


@pytest.fixture
def moving(bucket: S3, settings: Any) -> Any:
    """As MEDIA_MOVE_FROM=local and USE_S3=True have it; the rows' files are local."""
    settings.STORAGES = in_bucket(settings.STORAGES, bucket) | {
        "default": {"BACKEND": "common.storages.MovingMedia", "OPTIONS": {"to": "s3", "source": "local"}}
    }
    return settings


def row(shop: Any, content: bytes, alias: str = "default", **fields: Any) -> MusicFile:
    """A track whose file is in this storage."""
    name = media(alias).save(f"music/{os.urandom(16).hex()}.mp3", ContentFile(content))
    fields = {"sha256": digest_of(content), "mime_type": "audio/mpeg"} | fields
    return MusicFile.objects.create(
        client=shop.client, name="x", file=name, file_size=1, duration=1, **fields
    )


def run(*args: str) -> str:
    """The command's last words."""
    told = StringIO()
    call_command("migrate_media", *args, stdout=told)
    return told.getvalue().strip().splitlines()[-1]


@pytest.mark.django_db
@pytest.mark.usefixtures("everything")
def test_every_row_has_its_file_all_the_way(shop: Any, call: Any, moving: Any) -> None:
    api = call(shop.admin)
    old, new = row(shop, b"old", "local"), row(shop, b"new")
    paths = {music.pk: f"/api/music/{music.pk}/stream/" for music in (old, new)}
    assert media("s3").exists(new.file.name)
    assert not media("local").exists(new.file.name)
    assert [api.get(paths[pk]).status_code for pk in paths] == [200, 302]

    assert run("local", "s3", "--dry-run").startswith("2 files: 1 to be copied, 1 there already (0 bytes")
    assert run("local", "s3") == "2 files: 1 copied, 1 there already (3 bytes copied)"
    assert run("local", "s3") == "2 files: 2 there already (0 bytes copied)"
    assert [api.get(paths[pk]).status_code for pk in paths] == [302, 302]
    assert media("local").exists(old.file.name), "the source stays as it was"

    old.file.storage.delete(old.file.name)
    assert not any(media(alias).exists(old.file.name) for alias in ("local", "s3"))


@pytest.mark.django_db
@pytest.mark.usefixtures("everything")
def test_what_cannot_be_moved_is_named(shop: Any, moving: Any) -> None:
    fine, damaged, lost = (row(shop, text, "local") for text in (b"fine", b"damaged", b"lost"))
    Path(damaged.file.path).write_bytes(b"DAMAGED")
    Path(lost.file.path).unlink()
    told = StringIO()
    with pytest.raises(CommandError, match="2 files were not moved"):
        call_command("migrate_media", "local", "s3", stdout=told)
    assert f"{damaged.file.name}: not what its row says" in told.getvalue()
    assert f"{lost.file.name}: missing in the source" in told.getvalue()
    assert media("s3").exists(fine.file.name)
    assert not media("s3").exists(damaged.file.name)


@pytest.mark.django_db
@pytest.mark.usefixtures("everything")
def test_a_row_that_goes_meanwhile_is_no_failure(shop: Any, moving: Any) -> None:
    left = list(media_moving.assets())
    music = row(shop, b"soon gone", "local")
    left.append(Asset(str(music.file.name)))
    Path(music.file.path).unlink()
    music.delete()
    assert [moved.fate for moved in move(left, media("local"), media("s3"))] == [Fate.GONE]


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("local", "local"), "the same"),
        (("local", "s3"), "AWS_STORAGE_BUCKET_NAME"),
        (("tape", "local"), "tape"),
    ],
)
def test_storages_that_are_not_there(args: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("migrate_media", *args)


def test_the_listing_of_both_shows_each_once(moving: Any) -> None:
    media("local").put("music/a", io.BytesIO(b"1"))
    media("s3").put("music/a", io.BytesIO(b"1"))
    media("local").put("music/b", io.BytesIO(b"1"))
    assert sorted(stored.name for stored in default_storage.listing("music")) == ["music/a", "music/b"]
