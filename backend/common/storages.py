"""Where media lie: a local folder, a bucket, or both while they move from one to the other.

Django's `STORAGES` names them `local` and, if a bucket is configured, `s3`; `default` is the one in use. All of them
offer, besides Django's storage API:

- `put(name, content)`: stores under exactly this name, whole or not at all, over whatever was there;
- `listing(folder)`: every stored file below a folder, in constant memory, in no order;
- `link(name, …)` and `origin`: where a client fetches it, for a storage whose files have no path on this machine.

The bucket's own is in `common/s3.py`, which only a server with a bucket imports.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Protocol
from uuid import uuid4

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage, storages

_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored file: its name in the storage, bytes, and when it was written."""

    name: str
    size: int
    modified: datetime


class Media(Protocol):
    """What all storages of media can do."""

    def open(self, name: str, mode: str = "rb") -> File[bytes]:
        """The file, for reading. Raises FileNotFoundError."""

    def size(self, name: str) -> int:
        """Its bytes. Raises FileNotFoundError."""

    def exists(self, name: str) -> bool:
        """Whether it is there."""

    def delete(self, name: str) -> None:
        """Removes it; one that is not there is no error."""

    def put(self, name: str, content: IO[bytes]) -> None:
        """See the module."""

    def listing(self, folder: str) -> Iterator[Stored]:
        """See the module. A folder that is not there holds nothing."""


def media(alias: str) -> Media:
    """The storage of this alias of `STORAGES`. Raises `InvalidStorageError` for one that is not configured."""
    found: Any = storages[alias]
    return found  # type: ignore[no-any-return]  # Django names the class in the settings alone


class LocalMedia(FileSystemStorage):
    """A folder of this machine."""

    def put(self, name: str, content: IO[bytes]) -> None:
        """Written beside its place, brought to the disk, then renamed: no reader ever sees a part of it."""
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{uuid4().hex}")
        try:
            with part.open("xb") as file:
                while piece := content.read(_PIECE):
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            if self.file_permissions_mode is not None:
                part.chmod(self.file_permissions_mode)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    def listing(self, folder: str) -> Iterator[Stored]:
        """See the module."""
        waiting = [Path(self.path(folder))]
        while waiting:
            here = waiting.pop()
            try:
                entries = os.scandir(here)
            except FileNotFoundError:
                continue
            with entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(Path(entry.path))
                    elif (found := _stored(entry, self.base_location)) is not None:
                        yield found


def _stored(entry: os.DirEntry[str], root: str | os.PathLike[str]) -> Stored | None:
    """None for one that has gone since it was listed."""
    try:
        facts = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    name = os.path.relpath(entry.path, root).replace(os.sep, "/")
    return Stored(name, facts.st_size, datetime.fromtimestamp(facts.st_mtime, tz=UTC))


class MovingMedia(Storage):
    """Media on their way from one storage to another: new files go to `to`, what is not there yet is in `source`.

    So a row has its file at every moment of a move, however long it takes and however often it is broken off.
    """

    def __init__(self, *, to: str, source: str) -> None:
        self._aliases = to, source

    @property
    def _to(self) -> Any:
        return storages[self._aliases[0]]

    @property
    def _source(self) -> Any:
        return storages[self._aliases[1]]

    def _holder(self, name: str) -> Any:
        return self._to if self._to.exists(name) else self._source

    def _open(self, name: str, mode: str = "rb") -> Any:
        return self._holder(name).open(name, mode)

    def _save(self, name: str, content: Any) -> str:
        return str(self._to.save(name, content))

    def exists(self, name: str) -> bool:
        """Whether either has it."""
        return bool(self._to.exists(name) or self._source.exists(name))

    def delete(self, name: str) -> None:
        """From both."""
        for storage in (self._to, self._source):
            storage.delete(name)

    def size(self, name: str) -> int:
        """Its bytes. Raises FileNotFoundError."""
        return int(self._holder(name).size(name))

    @property
    def origin(self) -> str:
        """Where links to either lead; empty if only to this server."""
        return getattr(self._to, "origin", "") or getattr(self._source, "origin", "")

    def path(self, name: str) -> str:
        """Its path. Raises NotImplementedError for a file that has none."""
        return str(self._holder(name).path(name))

    def link(self, name: str, **headers: Any) -> str:
        """See the module."""
        return str(self._holder(name).link(name, **headers))

    def url(self, name: str | None) -> str:
        """The holder's own address of it."""
        return str(self._holder(str(name)).url(name))

    def put(self, name: str, content: IO[bytes]) -> None:
        """See the module."""
        self._to.put(name, content)

    def listing(self, folder: str) -> Iterator[Stored]:
        """The files of both, each once."""
        yield from self._to.listing(folder)
        there: Callable[[str], bool] = self._to.exists
        yield from (stored for stored in self._source.listing(folder) if not there(stored.name))
