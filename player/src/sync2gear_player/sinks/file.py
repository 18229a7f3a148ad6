"""A WAV file in real time, and beside it the truth about its time, for measuring.

`OUT.wav.json` says when frame n left in true time: `first_sample_true_us + n · 10⁶ / rate`, by the machine's real
clock whatever the laboratory clock showed the player; and lists the events with the frame that carries their first
sample beside the instant that was reported to the server.
"""

from __future__ import annotations

import json
import os
import struct
import threading
from pathlib import Path
from typing import Any

import numpy as np

from sync2gear_player.clock import Clock
from sync2gear_player.mixer import CHANNELS, RATE, Block
from sync2gear_player.sinks.base import PacedSink, SinkError

HEADER_BYTES = 44
HEADER_EVERY_FRAMES = RATE
_FRAME_BYTES = 2 * CHANNELS
_LARGEST = 0xFFFFFFFF - HEADER_BYTES


def wav_header(data_bytes: int) -> bytes:
    """The 44 bytes of a PCM WAV file, 16 bit, stereo, 48 kHz (RIFF/WAVE, Microsoft 1991)."""
    data_bytes = min(data_bytes, _LARGEST)
    return (
        struct.pack("<4sI4s", b"RIFF", data_bytes + HEADER_BYTES - 8, b"WAVE")
        + struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, CHANNELS, RATE, RATE * _FRAME_BYTES, _FRAME_BYTES, 16)
        + struct.pack("<4sI", b"data", data_bytes)
    )


class FileSink(PacedSink):
    """Writes as it plays. The header is brought up to date every second, so that a file whose writer was killed
    is valid and lacks a second at most. An earlier capture of that name is kept as `OUT.1.wav` and so on."""

    def __init__(self, clock: Clock, path: Path, buffer_ms: int = 80) -> None:
        super().__init__(clock, buffer_ms)
        self.path = path
        self._file: int | None = None
        self._frames = 0
        self._truth: dict[str, Any] = {}
        self._truth_lock = threading.Lock()

    def start(self) -> None:
        """See `Sink.start`."""
        try:
            self._keep_earlier()
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
            os.write(self._file, wav_header(0))
        except OSError as error:
            raise SinkError(f"{self.path} cannot be written: {error.strerror}.") from error
        self._frames = 0
        super().start()
        self._truth = {
            "first_sample_true_us": self._clock.true_us(self.first_us),
            "rate": RATE * self._clock.rate,
            "nominal_rate": RATE,
            "events": [],
            "segments": [],
        }
        self._write_truth()

    def write(self, frame: int, block: Block) -> None:
        """See `Sink.write`."""
        super().write(frame, block)
        if self._file is None:
            raise SinkError("the file is not open")
        try:
            os.write(self._file, (block * 32767.0).round().astype("<i2").tobytes())
            self._frames += len(block)
            if self._frames % HEADER_EVERY_FRAMES < len(block):
                self._write_header(self._file)
        except OSError as error:
            raise SinkError(f"{self.path} cannot be written: {error.strerror}.") from error

    def record(self, kind: str, entry: dict[str, Any]) -> None:
        """Adds one entry to `events` or `segments` of the JSON, or brings that with the same `key` up to date."""
        with self._truth_lock:
            entries = self._truth.setdefault(kind, [])
            same = next((each for each in entries if each["key"] == entry["key"]), None)
            if same is None:
                entries.append(entry)
            else:
                same.update(entry)
            self._write_truth()

    def close(self) -> None:
        """See `Sink.close`; finishes the header."""
        if self._file is not None:
            self._write_header(self._file)
            os.close(self._file)
            self._file = None
            with self._truth_lock:
                self._truth |= {"frames": self._frames, "underruns": self.underruns}
                self._write_truth()

    def _write_header(self, file: int) -> None:
        os.pwrite(file, wav_header(self._frames * _FRAME_BYTES), 0)

    def _write_truth(self) -> None:
        beside = self._json_path(self.path).with_suffix(".tmp")
        beside.write_text(json.dumps(self._truth, indent=1))
        beside.replace(self._json_path(self.path))

    def _keep_earlier(self) -> None:
        if not self.path.exists():
            return
        number = 1
        while (earlier := self.path.with_name(f"{self.path.stem}.{number}{self.path.suffix}")).exists():
            number += 1
        self.path.rename(earlier)
        if self._json_path(self.path).exists():
            self._json_path(self.path).rename(self._json_path(earlier))

    @staticmethod
    def _json_path(path: Path) -> Path:
        return path.with_name(path.name + ".json")


def read_capture(path: Path) -> tuple[np.ndarray[Any, np.dtype[np.int16]], dict[str, Any]]:
    """A capture's frames, shape (n, 2), and its JSON; trusts the file's length over its header."""
    data = path.read_bytes()[HEADER_BYTES:]
    whole = len(data) // _FRAME_BYTES * _FRAME_BYTES
    frames = np.frombuffer(data[:whole], dtype="<i2").reshape(-1, CHANNELS)
    return frames, json.loads(path.with_name(path.name + ".json").read_bytes())
