"""What the output asks of a sink, and the pacing of those that have no hardware to pace them."""

from __future__ import annotations

import threading
from typing import Protocol

from sync2gear_player.clock import Clock
from sync2gear_player.mixer import US_PER_FRAME, Block

BLOCK_FRAMES = 480
"""10 ms."""


class SinkError(Exception):
    """The sink cannot be opened or has failed; the message is a sentence for the user."""


class Sink(Protocol):
    """Takes blocks in order. `frame` counts from the sink's start."""

    buffer_ms: int
    """How far ahead of its sound a block is rendered."""
    underruns: int
    """Blocks that came too late."""

    def start(self) -> None:
        """Opens it; raises `SinkError`."""

    def wait(self, frame: int) -> bool:
        """Blocks until the block that begins with `frame` should be rendered; false when it was stopped."""

    def emitted_us(self, frame: int) -> float:
        """When `frame` leaves the sink, in µs of the player's monotonic clock."""

    def write(self, frame: int, block: Block) -> None:
        """Takes one block; raises `SinkError`."""

    def stop(self) -> None:
        """Ends `wait`, from any thread."""

    def close(self) -> None:
        """Closes it, after the last `write`."""


class PacedSink:
    """A converter without hardware: frame n leaves exactly n/48000 s (of the player's clock) after the first.

    Frames have nominal instants: when the machine hiccups, a block is written late and counted as an underrun,
    but nothing shifts. Under a laboratory clock this is a converter whose crystal is as wrong as that clock.
    """

    def __init__(self, clock: Clock, buffer_ms: int = 80) -> None:
        self.buffer_ms = buffer_ms
        self.underruns = 0
        self.first_us = 0.0
        self._clock = clock
        self._stopped = threading.Event()

    def start(self) -> None:
        """See `Sink.start`."""
        self.first_us = float(self._clock.monotonic_us() + self.buffer_ms * 1000)

    def wait(self, frame: int) -> bool:
        """See `Sink.wait`."""
        ahead_us = self.emitted_us(frame) - self.buffer_ms * 1000 - self._clock.monotonic_us()
        return not self._stopped.wait(max(0.0, ahead_us / 1e6 / self._clock.rate))

    def emitted_us(self, frame: int) -> float:
        """See `Sink.emitted_us`."""
        return self.first_us + frame * US_PER_FRAME

    def write(self, frame: int, block: Block) -> None:
        """See `Sink.write`; this one throws the sound away."""
        if self._clock.monotonic_us() > self.emitted_us(frame):
            self.underruns += 1

    def stop(self) -> None:
        """See `Sink.stop`."""
        self._stopped.set()

    def close(self) -> None:
        """See `Sink.close`."""


class NullSink(PacedSink):
    """No sound, in real time: for servers, tests and speakers whose card is gone."""
