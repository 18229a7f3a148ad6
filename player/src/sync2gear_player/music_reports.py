"""Reports of the music that was heard: kept in the journal, handed in when there is a server and a known time."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from typing import TYPE_CHECKING

from sync2gear_player.heard import MusicHeard
from sync2gear_player.messages import MusicStretch

if TYPE_CHECKING:
    from sync2gear_player.device import Device

AT_HAND = 500
"""So many stretches are read from the journal at once; the next when these are acknowledged."""

log = logging.getLogger(__name__)


class MusicReports:
    """The reports of one speaker."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._wake = asyncio.Event()

    def poke(self) -> None:
        """There may be something to hand in, or somebody to take it."""
        self._wake.set()

    def keep(self, heard: MusicHeard) -> None:
        """Commits a stretch to the journal. A disk that is full costs the report, not the music."""
        time, clock = self._device.time, self._device.clock
        stretch = MusicStretch(
            report_id=heard.report_id,
            segment_id=heard.segment_id,
            music_id=heard.music_id,
            started_at=max(0, round(time.estimate.server_us(heard.began_us))),
            ended_at=max(0, round(time.estimate.server_us(heard.ended_us))),
            played_ms=heard.played_ms,
        )
        undated_in = "" if time.trusted else clock.boot_id
        try:
            self._device.journal.keep_music(
                stretch, over=heard.over, began_us=round(heard.began_us), undated_in=undated_in
            )
        except sqlite3.Error as error:
            log.error("what music was heard could not be kept: %s", error)

    async def hear(self, heard: MusicHeard) -> None:
        """Keeps a stretch, and hands it in if it is over."""
        await asyncio.to_thread(self.keep, heard)
        if heard.over:
            self.poke()

    async def acknowledged(self, report_ids: tuple[str, ...]) -> None:
        """The server has these."""
        await asyncio.to_thread(self._device.journal.acknowledge_music, report_ids)
        self.poke()

    async def run(self) -> None:
        """Hands in for ever; returns only by cancellation."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._device.link.welcome is not None and self._device.time.trusted:
                self._device.link.owe_music(await asyncio.to_thread(self._owed))

    def _owed(self) -> list[MusicStretch]:
        estimate = self._device.time.estimate
        self._device.journal.date_music(lambda began_us: max(0, round(estimate.server_us(began_us))))
        return self._device.journal.owed_music(AT_HAND)
