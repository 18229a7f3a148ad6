"""Gets the files that plan and pushes need, soonest needed first, and decodes announcements before their instant."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass

from sync2gear_player.cache import Cache, FetchError
from sync2gear_player.clock import Clock
from sync2gear_player.decode import DecodeError, StreamSource, decode_clip
from sync2gear_player.mixer.voices import Pcm
from sync2gear_player.network import Network, resolve
from sync2gear_player.plays import Missing
from sync2gear_player.programme import Source

AT_ONCE = 2
RETRY_FIRST_S = 0.5
RETRY_CEILING_S = 60.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Need:
    """One file: its SHA-256, where it can be had, and how large it is."""

    sha256: str
    url: str
    size: int


@dataclass
class _Trouble:
    why: str
    failures: int
    again_us: int
    url: str


class Media:
    """Downloads in the background (`run`); `changed` is called when something became playable or failed."""

    def __init__(
        self,
        *,
        cache: Cache,
        network: Network,
        clock: Clock,
        server: str,
        changed: Callable[[], None],
        stale_urls: Callable[[], None],
    ) -> None:
        """`stale_urls` is called when the server no longer honours a URL: a new plan brings new ones."""
        self._cache = cache
        self._network = network
        self._clock = clock
        self._server = server
        self._changed = changed
        self._stale_urls = stale_urls
        self._pushed: dict[str, Need] = {}
        self._planned: dict[str, Need] = {}
        self._fetching: set[str] = set()
        self._trouble: dict[str, _Trouble] = {}
        self._clips: dict[str, Pcm] = {}
        self._undecodable: dict[str, str] = {}
        self._decoding: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()

    @property
    def lacking(self) -> bool:
        """Whether a file of the plan is not here yet."""
        return any(not self._cache.has(sha256) for sha256 in self._planned)

    def plan(self, needs: Iterable[Need]) -> None:
        """What the plan needs, the soonest first."""
        self._planned = {need.sha256: need for need in needs}
        self._wake.set()

    def push(self, need: Need) -> bool:
        """A pushed announcement's file comes before all of the plan's; false if it is here already."""
        if self._cache.has(need.sha256):
            return False
        self._pushed[need.sha256] = need
        self._trouble.pop(need.sha256, None)
        self._wake.set()
        return True

    def release(self, sha256: str) -> None:
        """A pushed announcement is over: its file is not fetched for it any more."""
        self._pushed.pop(sha256, None)

    def has(self, sha256: str) -> bool:
        """Whether the file is here."""
        return self._cache.has(sha256)

    def cache_bytes(self) -> int:
        """Size of the cache."""
        return self._cache.size()

    def open(self, sha256: str, position: int) -> Source | None:
        """A stream of a cached file for the programme, called in the output's thread; None if it is not here."""
        path = self._cache.path(sha256)
        return StreamSource(path, position) if path is not None else None

    def clip(self, sha256: str) -> Pcm:
        """The frames of an announcement that `missing` does not name."""
        return self._clips[sha256]

    def missing(self, sha256s: Iterable[str]) -> dict[str, Missing]:
        """Which of these announcements cannot be played at this moment, and why."""
        found: dict[str, Missing] = {}
        for sha256 in set(sha256s):
            if sha256 in self._clips:
                continue
            if sha256 in self._undecodable:
                found[sha256] = Missing("failed_decode", self._undecodable[sha256])
            elif sha256 in self._trouble and not self._cache.has(sha256):
                found[sha256] = Missing("failed_fetch", self._trouble[sha256].why)
            else:
                found[sha256] = Missing()
        return found

    def prepare(self, sha256s: Iterable[str]) -> None:
        """Decodes these announcements as soon as their files are here, and forgets all other decoded ones."""
        wanted = set(sha256s)
        self._clips = {sha256: pcm for sha256, pcm in self._clips.items() if sha256 in wanted}
        for sha256 in wanted - self._clips.keys() - self._decoding - self._undecodable.keys():
            if self._cache.has(sha256):
                self._decoding.add(sha256)
                self._spawn(self._decode(sha256))

    async def run(self) -> None:
        """Downloads for ever; returns only by cancellation."""
        try:
            while True:
                self._wake.clear()
                for need in self._next():
                    self._fetching.add(need.sha256)
                    self._spawn(self._fetch(need))
                try:
                    async with asyncio.timeout(self._patience_s()):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            for task in self._tasks:
                task.cancel()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _next(self) -> list[Need]:
        now = self._clock.monotonic_us()
        found: list[Need] = []
        for need in [*self._pushed.values(), *self._planned.values()]:
            if len(self._fetching) + len(found) >= AT_ONCE:
                break
            trouble = self._trouble.get(need.sha256)
            waits = trouble is not None and trouble.url == need.url and trouble.again_us > now
            if (
                need.sha256 not in self._fetching
                and not waits
                and not self._cache.has(need.sha256)
                and need.url
            ):
                found.append(need)
        return found

    def _patience_s(self) -> float:
        now = self._clock.monotonic_us()
        waits = [trouble.again_us - now for trouble in self._trouble.values()]
        return max(0.05, min(waits, default=60_000_000) / 1e6)

    async def _fetch(self, need: Need) -> None:
        try:
            needed = self._pushed.keys() | self._planned.keys()
            if not self._cache.room_for(need.size, needed) and need.sha256 not in self._pushed:
                raise FetchError("the cache is full with what the plan needs sooner")
            await self._cache.fetch(self._network, need.sha256, resolve(self._server, need.url))
        except FetchError as error:
            before = self._trouble.get(need.sha256)
            failures = before.failures + 1 if before is not None else 1
            wait_s = min(RETRY_CEILING_S, RETRY_FIRST_S * 2 ** (failures - 1))
            again_us = self._clock.monotonic_us() + round(wait_s * 1e6)
            self._trouble[need.sha256] = _Trouble(str(error), failures, again_us, need.url)
            log.warning("%s: %s; again in %.1f s", need.sha256[:12], error, wait_s)
            if error.refused:
                self._stale_urls()
        else:
            self._trouble.pop(need.sha256, None)
            self._pushed.pop(need.sha256, None)
        finally:
            self._fetching.discard(need.sha256)
            self._wake.set()
            self._changed()

    async def _decode(self, sha256: str) -> None:
        path = self._cache.path(sha256)
        try:
            if path is not None:
                self._clips[sha256] = await asyncio.to_thread(decode_clip, path)
        except DecodeError as error:
            self._undecodable[sha256] = str(error)
            log.warning("%s: %s", sha256[:12], error)
        finally:
            self._decoding.discard(sha256)
            self._changed()
