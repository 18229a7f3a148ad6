"""Copies media from one storage to another, so that it may be broken off anywhere and begun again.

Nothing is written to the database, for a file keeps its name, and nothing is taken from where it was. A copy counts
when it was read back and has the same SHA-256 as what was read, and as the row says where it does. Copies appear whole
or not at all (`put`), so that a size is enough to know one of an earlier run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import IO, Any

from django.db import models

from common.media_files import AT_ONCE, columns, is_named
from common.storages import Media

PIECE = 1024 * 1024
DIGEST_OF = {
    "music.MusicFile.file": "sha256",
    "announcements.Announcement.audio_file": "sha256",
    "announcements.SpeechClip.file": "sha256",
}
"""The columns whose row holds the SHA-256 of the file, and where."""


class Fate(Enum):
    """What became of one file."""

    COPIED = "copied"
    WOULD_COPY = "to be copied"
    THERE = "there already"
    GONE = "removed meanwhile"
    MISSING = "missing in the source"
    DAMAGED = "not what its row says"
    UNFAITHFUL = "not the same when read back"


FAILED = frozenset({Fate.MISSING, Fate.DAMAGED, Fate.UNFAITHFUL})


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that a row names. `sha256` is empty where the row does not know it."""

    name: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of one file of `size` bytes."""

    asset: Asset
    fate: Fate
    size: int = 0


def assets() -> Iterator[Asset]:
    """Every file that any row names, in constant memory."""
    for column in columns():
        name = column.field.name
        digest = DIGEST_OF.get(column.label)
        known = models.F(digest) if digest else models.Value("")
        rows = column.rows().annotate(_known=known).order_by("pk").values_list(name, "_known")
        for stored, sha256 in rows.iterator(chunk_size=AT_ONCE):
            yield Asset(stored, sha256)


def move(
    files: Iterable[Asset],
    source: Media,
    target: Media,
    *,
    dry: bool = False,
    thorough: bool = False,
    at_once: int = 4,
) -> Iterator[Moved]:
    """Copies those of `files` that `target` does not have, `at_once` side by side; tells of each as it is done.

    `thorough` reads again what is there already, instead of trusting its size. Two moves at once do no harm.
    """
    left = iter(files)
    running: set[Future[Moved]] = set()
    with ThreadPoolExecutor(at_once, thread_name_prefix="move") as pool:
        while True:
            for asset in islice(left, at_once - len(running)):
                running.add(pool.submit(_move_one, source, target, asset, dry, thorough))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield _told_why(future.result())


def _move_one(source: Media, target: Media, asset: Asset, dry: bool, thorough: bool) -> Moved:
    try:
        size = source.size(asset.name)
        if _has(target, asset, size) and not (thorough and _differs(source, target, asset)):
            return Moved(asset, Fate.THERE, size)
        if dry:
            return Moved(asset, Fate.WOULD_COPY, size)
        with source.open(asset.name) as content:
            digest = _sha256(content)
            if asset.sha256 and digest != asset.sha256:
                return Moved(asset, Fate.DAMAGED, size)
            content.seek(0)
            target.put(asset.name, content)
    except FileNotFoundError:
        return Moved(asset, Fate.THERE if target.exists(asset.name) else Fate.MISSING)
    with target.open(asset.name) as copy:
        return Moved(asset, Fate.COPIED if _sha256(copy) == digest else Fate.UNFAITHFUL, size)


def _told_why(moved: Moved) -> Moved:
    """A file is no loss if its row went meanwhile. Asked on the caller's thread, which has the database."""
    lost = moved.fate is Fate.MISSING
    return Moved(moved.asset, Fate.GONE) if lost and not is_named(moved.asset.name) else moved


def _has(target: Media, asset: Asset, size: int) -> bool:
    try:
        return target.size(asset.name) == size
    except FileNotFoundError:
        return False


def _differs(source: Media, target: Media, asset: Asset) -> bool:
    with source.open(asset.name) as one, target.open(asset.name) as other:
        return _sha256(one) != _sha256(other)


def _sha256(content: IO[Any]) -> str:
    digest = hashlib.sha256()
    while piece := content.read(PIECE):
        digest.update(piece)
    return digest.hexdigest()
