"""The sound card, through miniaudio (the extra `sound`), whose wheel needs no system package.

The card asks for frames in a callback. The instants of those callbacks jitter by a period; a delay-locked loop
(F. Adriaensen, "Using a DLL to filter time", 2005) turns them into a smooth line from frames to time, which also
follows the card's own crystal. What lies behind the callback (driver, converter, amplifier) is a constant that the
installer sets as `output_delay_ms`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator
from typing import Any

import numpy as np

from sync2gear_player.clock import Clock
from sync2gear_player.mixer import CHANNELS, RATE, US_PER_FRAME, Block
from sync2gear_player.sinks.base import BLOCK_FRAMES, SinkError

PERIOD_MS = 20
LOOP_BANDWIDTH_HZ = 0.05
FIRST_BANDWIDTH_HZ = 1.0
"""Wide at first, to find the line; narrow soon, to be smooth."""
PREFILL_S = 1.0
"""A card first fills its buffers in one go: that says nothing of its crystal."""
CRYSTAL = 500e-6
"""No card's crystal is further off."""
LOST_US = 100_000.0
"""A callback this far off the line means that the card was suspended: the line is drawn anew."""
FIRST_CALLBACK_S = 3.0
NO_CARD_NAMES = ("Discard all samples", "Null Output", "NULL Playback Device")


class FrameClock:
    """A delay-locked loop over (frame, instant) pairs."""

    def __init__(self) -> None:
        self._frame = 0.0
        self._at_us: float | None = None
        self._us_per_frame = US_PER_FRAME
        self._seconds = 0.0

    def callback(self, frame: int, at_us: float) -> None:
        """The card asked for `frame` at `at_us` of the monotonic clock."""
        if self._at_us is None:
            self._frame, self._at_us = frame, at_us
            return
        frames = frame - self._frame
        if frames <= 0:
            return
        expected = self._at_us + frames * self._us_per_frame
        error = at_us - expected
        if abs(error) > LOST_US:
            self._frame, self._at_us = frame, at_us
            return
        self._seconds += frames / RATE
        bandwidth = max(LOOP_BANDWIDTH_HZ, FIRST_BANDWIDTH_HZ / (1.0 + self._seconds))
        omega = min(0.5, 2 * np.pi * bandwidth * frames / RATE)
        self._frame, self._at_us = frame, expected + np.sqrt(2) * omega * error
        if self._seconds > PREFILL_S:
            rate = self._us_per_frame + omega * omega * error / frames
            self._us_per_frame = min(US_PER_FRAME * (1 + CRYSTAL), max(US_PER_FRAME * (1 - CRYSTAL), rate))

    def at_us(self, frame: float) -> float:
        """The monotonic instant of a frame."""
        if self._at_us is None:
            raise SinkError("the card has not asked for sound yet")
        return float(self._at_us + (frame - self._frame) * self._us_per_frame)


class CardSink:
    """The default playback device."""

    def __init__(self, clock: Clock, buffer_ms: int = 100) -> None:
        self.buffer_ms = buffer_ms
        self.underruns = 0
        self._clock = clock
        self._frames = FrameClock()
        self._queue: deque[Block] = deque()
        self._queued = 0
        self._asked = 0
        self._filled = 0
        self._changed = threading.Condition()
        self._stopped = False
        self._begun = False
        self._device: Any = None

    @staticmethod
    def problem() -> str | None:
        """Why there is no card to play on, or None if there is one."""
        try:
            import miniaudio
        except ImportError:
            return "the extra `sound` is not installed (pip install 'sync2gear-player[sound]')"
        try:
            names = [device["name"] for device in miniaudio.Devices().get_playbacks()]
        except miniaudio.MiniaudioError as error:
            return str(error)
        if not [name for name in names if not name.startswith(NO_CARD_NAMES)]:
            return "this machine has no sound card"
        return None

    def start(self) -> None:
        """See `Sink.start`; waits for the card's first callback."""
        problem = self.problem()
        if problem:
            raise SinkError(f"The sound card cannot be used: {problem}.")
        import miniaudio

        try:
            self._device = miniaudio.PlaybackDevice(
                output_format=miniaudio.SampleFormat.FLOAT32,
                nchannels=CHANNELS,
                sample_rate=RATE,
                buffersize_msec=PERIOD_MS,
                app_name="sync2gear",
            )
            generator = self._feed()
            next(generator)
            self._device.start(generator)
        except miniaudio.MiniaudioError as error:
            raise SinkError(f"The sound card cannot be opened: {error}.") from error
        with self._changed:
            if not self._changed.wait_for(lambda: self._asked > 0, FIRST_CALLBACK_S):
                raise SinkError("The sound card was opened but asks for no sound.")

    def wait(self, frame: int) -> bool:
        """See `Sink.wait`."""
        room = self.buffer_ms * RATE // 1000 - BLOCK_FRAMES
        with self._changed:
            if not self._changed.wait_for(lambda: self._stopped or self._queued <= room, FIRST_CALLBACK_S):
                raise SinkError("The sound card has stopped asking for sound.")
            return not self._stopped

    def emitted_us(self, frame: int) -> float:
        """See `Sink.emitted_us`. Frames that the card had to fill with silence push later ones back."""
        with self._changed:
            return self._frames.at_us(frame + self._filled)

    def write(self, frame: int, block: Block) -> None:
        """See `Sink.write`."""
        with self._changed:
            self._begun = True
            self._queue.append(block)
            self._queued += len(block)

    def stop(self) -> None:
        """See `Sink.stop`."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def close(self) -> None:
        """See `Sink.close`."""
        if self._device is not None:
            self._device.close()
            self._device = None

    def _feed(self) -> Generator[Block, int, None]:
        wanted = yield np.zeros((0, CHANNELS), dtype=np.float32)
        while True:
            wanted = yield self._take(wanted)

    def _take(self, wanted: int) -> Block:
        block = np.zeros((wanted, CHANNELS), dtype=np.float32)
        with self._changed:
            self._frames.callback(self._asked, self._clock.monotonic_us())
            self._asked += wanted
            at = 0
            while at < wanted and self._queue:
                head = self._queue[0]
                count = min(wanted - at, len(head))
                block[at : at + count] = head[:count]
                at += count
                if count == len(head):
                    self._queue.popleft()
                else:
                    self._queue[0] = head[count:]
            self._queued -= at
            if at < wanted:
                self._filled += wanted - at
                self.underruns += self._begun
            self._changed.notify_all()
        return block
