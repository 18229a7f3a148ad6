"""Connections: in order, late by chance, and cut without a word. Frames are the protocol's own bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulation.kernel import MS, SECOND, Kernel

if TYPE_CHECKING:
    from simulation.server import Web
    from simulation.speaker import Speaker

NOTICED = 45 * SECOND
"""How long a side may take to notice that the other is gone: the lease."""


class Wire:
    """One connection of a speaker to a web process. What was under way when it is cut arrives nowhere."""

    def __init__(self, kernel: Kernel, speaker: Speaker, web: Web) -> None:
        self.speaker, self.web = speaker, web
        self.whole = True
        self._kernel = kernel
        self._last = {"up": 0, "down": 0}

    def up(self, frame: str) -> None:
        """To the server."""
        self._send("up", lambda: self.web.arrived(self, frame))

    def down(self, frame: bytes) -> None:
        """To the speaker."""
        self._send("down", lambda: self.speaker.arrived(self, frame))

    def cut(self, *, speaker_notices: int | None = None, web_notices: int | None = None) -> None:
        """Ends it. Each side notices after so many µs, by default at some time within its lease."""
        if not self.whole:
            return
        self.whole = False
        rng = self._kernel.rng
        for told, delay in ((self.speaker.lost, speaker_notices), (self.web.lost, web_notices)):
            self._kernel.after(rng.uniform(0, NOTICED) if delay is None else delay, told, self)

    def _send(self, way: str, arrive: object) -> None:
        rng = self._kernel.rng
        delay = rng.uniform(1 * MS, 30 * MS) if rng.random() < 0.97 else rng.uniform(30 * MS, 2 * SECOND)
        self._last[way] = max(self._last[way], self._kernel.now + round(delay))
        self._kernel.at(self._last[way], self._arrive, arrive)

    def _arrive(self, arrive: object) -> None:
        if self.whole and callable(arrive):
            arrive()
