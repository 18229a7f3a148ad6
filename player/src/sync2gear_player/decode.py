"""Media files to 48 kHz stereo, by FFmpeg through PyAV.

FFmpeg skips the encoder delay and padding that MP3 (LAME tag), Opus and AAC files declare, so that albums are
gapless and a clip's first frame is its first. Positions are counted by decoding from the beginning, never by
seeking: seeks into MP3 are off by tens of ms, and a speaker that joins mid-track must agree with the others to
the sample. It costs about 0.2 s of one core for each minute that is passed over.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from sync2gear_player.mixer import RATE, Block
from sync2gear_player.mixer.voices import Pcm

LONGEST_CLIP_S = 900
RING_FRAMES = 6 * RATE
AHEAD_FRAMES = 4 * RATE
READY_FRAMES = RATE // 10

log = logging.getLogger(__name__)


class DecodeError(Exception):
    """The file is not audio that can be played."""


def frames_of(path: Path) -> Iterator[Block]:
    """The file's sound in blocks of various lengths, float32, shape (n, 2); raises `DecodeError`.

    A mono file sounds on both channels at its own level.
    """
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise DecodeError("no audio in the file")
            stream = container.streams.audio[0]
            layout = "mono" if stream.codec_context.channels == 1 else "stereo"
            resampler = av.AudioResampler(format="flt", layout=layout, rate=RATE)
            for frame in container.decode(stream):
                for part in resampler.resample(frame):
                    yield _stereo(part)
            for part in resampler.resample(None):
                yield _stereo(part)
    except (av.error.FFmpegError, ValueError) as error:
        raise DecodeError(f"cannot be decoded ({error})") from error


def _stereo(frame: av.AudioFrame) -> Block:
    samples: Block = frame.to_ndarray().reshape(frame.samples, -1).astype(np.float32, copy=False)
    return samples if samples.shape[1] == 2 else np.repeat(samples, 2, axis=1)


def decode_clip(path: Path) -> Pcm:
    """A whole announcement as 16-bit frames; raises `DecodeError`, also beyond `LONGEST_CLIP_S`."""
    parts: list[Pcm] = []
    frames = 0
    for block in frames_of(path):
        frames += len(block)
        if frames > LONGEST_CLIP_S * RATE:
            raise DecodeError(f"longer than {LONGEST_CLIP_S // 60} minutes")
        parts.append((np.clip(block, -1.0, 1.0) * 32767.0).round().astype(np.int16))
    if not frames:
        raise DecodeError("no sound in the file")
    return np.concatenate(parts)


class StreamSource:
    """A file that a thread of its own decodes a few seconds ahead of its reader."""

    def __init__(self, path: Path, position: int) -> None:
        """Starts decoding at once; `position` (frames) is where the reader will begin."""
        self._path = path
        self._ring = np.zeros((RING_FRAMES, 2), dtype=np.float32)
        self._begin = self._end = 0
        self._wanted = position
        self._over = False
        self._closed = False
        self._changed = threading.Condition()
        self.starved_frames = 0
        threading.Thread(target=self._run, name=f"decode {path.name[:8]}", daemon=True).start()

    def ready(self, position: int) -> bool:
        """Whether reading may begin at `position`: a tenth of a second is there, or the file's last part."""
        with self._changed:
            self._want(position)
            enough = self._end - position >= READY_FRAMES
            return self._begin <= position and (enough or self._over)

    def reaches(self, position: int) -> bool:
        """Whether `position` is there or still to come, not passed and forgotten."""
        with self._changed:
            return position >= self._begin

    def read(self, position: int, frames: int) -> Block:
        """`frames` frames from `position` on; zeros before the beginning, after the end and where none are there."""
        block = np.zeros((frames, 2), dtype=np.float32)
        with self._changed:
            begin, end = max(position, self._begin), min(position + frames, self._end)
            at = begin
            while at < end:
                slot = at % RING_FRAMES
                count = min(end - at, RING_FRAMES - slot)
                block[at - position : at - position + count] = self._ring[slot : slot + count]
                at += count
            if not self._over:
                self.starved_frames += max(0, position + frames - max(end, position))
            self._want(position)
        return block

    def close(self) -> None:
        """Stops decoding."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _want(self, position: int) -> None:
        if position > self._wanted:
            self._wanted = position
            self._changed.notify_all()

    def _run(self) -> None:
        try:
            for block in frames_of(self._path):
                if not self._store(block):
                    return
        except (DecodeError, OSError) as error:
            log.warning("%s: %s", self._path.name[:12], error)
        with self._changed:
            self._over = True

    def _store(self, block: Block) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._end - self._wanted < AHEAD_FRAMES)
            slot = self._end % RING_FRAMES
            first = min(len(block), RING_FRAMES - slot)
            self._ring[slot : slot + first] = block[:first]
            self._ring[: len(block) - first] = block[first:]
            self._end += len(block)
            self._begin = max(self._begin, self._end - RING_FRAMES)
            return not self._closed
