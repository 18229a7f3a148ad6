"""Media by content: a file is named by its SHA-256, and is there only whole and verified.

A download goes to `<sha256>.part` and resumes after a cut by Range with If-Range (RFC 9110 §13.1.5, §14): a
server that has another representation answers 200 and the part begins anew. The hash decides, not the length.
The oldest used files go when the bound is passed, but never one that the plan still needs.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Collection
from pathlib import Path

from sync2gear_player.network import Network, NetworkError

DEFAULT_BOUND_BYTES = 8 * 1024**3
_HEX = frozenset("0123456789abcdef")


log = logging.getLogger(__name__)


class FetchError(Exception):
    """A file could not be had. `refused` is true if its URL is no longer honoured (expired, unknown)."""

    def __init__(self, message: str, *, refused: bool = False) -> None:
        super().__init__(message)
        self.refused = refused


class Cache:
    """A folder of verified files, bounded by `bound` bytes."""

    def __init__(self, folder: Path, bound: int = DEFAULT_BOUND_BYTES) -> None:
        self._folder = folder
        self._bound = bound
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, sha256: str) -> Path | None:
        """Where the file is, or None if it is not (wholly) here. Counts as use for eviction."""
        if not self.has(sha256):
            return None
        path = self._named(sha256)
        os.utime(path)
        return path

    def has(self, sha256: str) -> bool:
        """Whether the file is here; does not count as use. What is no SHA-256 in hex is not."""
        return _is_sha256(sha256) and self._named(sha256).exists()

    def size(self) -> int:
        """Bytes of all files, parts included."""
        return sum(path.stat().st_size for path in self._folder.iterdir() if path.is_file())

    def room_for(self, size: int, needed: Collection[str]) -> bool:
        """Makes room for `size` bytes by evicting what is not `needed`, oldest used first; false if it cannot."""
        files = sorted((path.stat().st_mtime_ns, path) for path in self._folder.iterdir() if path.is_file())
        used = sum(path.stat().st_size for _, path in files)
        for _, path in files:
            if used + size <= self._bound:
                break
            if path.name.partition(".")[0] not in needed:
                used -= path.stat().st_size
                path.unlink()
                log.info("evicted %s from the cache", path.name[:12])
        return used + size <= self._bound

    async def fetch(self, network: Network, sha256: str, url: str) -> Path:
        """Downloads one file, resuming what is there of it; raises `FetchError`."""
        if not _is_sha256(sha256):
            raise FetchError("its name is not a SHA-256 in hex")
        target, part, tag = self._named(sha256), self._named(sha256, ".part"), self._named(sha256, ".etag")
        if target.exists():
            return target
        have = part.stat().st_size if part.exists() and tag.exists() else 0
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers |= {"Range": f"bytes={have}-", "If-Range": tag.read_text()}
        try:
            async with network.stream(url, headers) as (status, fields, chunks):
                if status == 416:
                    part.unlink(missing_ok=True)
                    raise FetchError("the part did not fit the file; it begins anew")
                if status not in (200, 206):
                    raise FetchError(f"the server answered {status}", refused=status in (401, 403, 404, 410))
                etag = fields.get("etag", "")
                if etag and not etag.startswith("W/"):
                    tag.write_text(etag)
                else:
                    tag.unlink(missing_ok=True)
                with part.open("ab" if status == 206 else "wb") as file:
                    async for chunk in chunks:
                        file.write(chunk)
                    file.flush()
                    os.fsync(file.fileno())
        except NetworkError as error:
            raise FetchError(str(error)) from error
        except OSError as error:
            raise FetchError(f"the cache cannot be written: {error.strerror}") from error
        tag.unlink(missing_ok=True)
        if _sha256(part) != sha256:
            part.unlink()
            raise FetchError("the file's SHA-256 is not the promised one")
        part.rename(target)
        return target

    def _named(self, sha256: str, suffix: str = "") -> Path:
        return self._folder / f"{sha256}{suffix}"


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and _HEX.issuperset(text)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
