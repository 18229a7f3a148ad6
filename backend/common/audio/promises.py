"""What a container's header promises, held against what the file holds.

Two tables of functions, by demuxer: what can be seen before opening, and after.
Each raises AudioRefused `truncated` when the header promises more.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from common.audio.errors import AudioRefused
from common.audio.mpeg import mpeg_frame, xing_frames
from common.audio.sniff import Sniffed

# What recorders write when they do not know the length yet (FFmpeg, SoX, arecord, streaming encoders).
_UNKNOWN_WAV_SIZES = frozenset(
    {0, 0xFFFFFFFF, 0xFFFFFFDB, 0xFFFFFFFE, 0x80000000, 0x7FFFFFFF, 0x7FFFFFDB, 0x7FFFF000}
)
_EBML_SEGMENT = b"\x18\x53\x80\x67"


@dataclass(frozen=True)
class Held:
    """What demuxing found: `packets`, `samples` per channel up to the end, bytes of the last packet."""

    packets: int
    samples: int
    last_packet: bytes


def _cut(detail: str) -> AudioRefused:
    return AudioRefused("truncated", f"The file is cut off: {detail} Please copy or export it again.")


def _wav(path: Path, sniffed: Sniffed, size: int) -> None:
    """RIFF and RF64 (EBU Tech 3306): the data chunk must lie inside the file, unless its size is unknown."""
    long_size = 0
    with path.open("rb") as file:
        at = sniffed.start + 12
        while at + 8 <= size:
            file.seek(at)
            name, length = struct.unpack("<4sI", file.read(8))
            if name == b"ds64":
                long_size = struct.unpack("<Q", file.read(16)[8:])[0]
            if name == b"data":
                unknown = length in _UNKNOWN_WAV_SIZES
                promised = long_size or (0 if unknown else length)
                if at + 8 + promised > size + 1:
                    raise _cut(
                        f"its header promises {promised} bytes of sound and {size - at - 8} are there."
                    )
                return
            at += 8 + length + (length & 1)


def _flac(sniffed: Sniffed, held: Held) -> None:
    """STREAMINFO (RFC 9639 §8.2): 36 bits of total samples at byte 21; 0 means unknown."""
    promised = int.from_bytes(sniffed.head[21:26], "big") & 0xFFFFFFFFF
    if held.samples < promised:
        raise _cut(f"its header promises {promised} samples and {held.samples} are there.")


def _mp3(sniffed: Sniffed, held: Held) -> None:
    """Frames promised by Xing/Info; one is forgiven, since some encoders count the header itself."""
    frame = mpeg_frame(sniffed.head)
    promised = xing_frames(sniffed.head, 0, frame) if frame else None
    if promised is None:
        return
    last = mpeg_frame(held.last_packet)
    whole = held.packets - (last is None or len(held.last_packet) < last.size)
    if whole + 1 < promised:
        raise _cut(f"its header promises {promised} frames and {whole} are there.")


def _mov(path: Path, sniffed: Sniffed, size: int) -> None:
    """Top-level boxes (ISO/IEC 14496-12 §4.2) must end inside the file; size 0 means up to its end."""
    with path.open("rb") as file:
        at = 0
        while at + 8 <= size:
            file.seek(at)
            length, _ = struct.unpack(">I4s", file.read(8))
            if length == 1:
                length = int.from_bytes(file.read(8), "big")
            if length == 0:
                return
            if length < 8 or at + length > size:
                raise _cut(f"a part of {length} bytes begins {size - at} bytes before its end.")
            at += length


def _ogg(path: Path, sniffed: Sniffed, size: int) -> None:
    """The last page (RFC 3533 §6) must be whole."""
    with path.open("rb") as file:
        file.seek(max(0, size - 65536))
        tail = file.read()
    at = tail.rfind(b"OggS")
    if at < 0:
        return
    table = tail[at + 27 : at + 27 + tail[at + 26]] if len(tail) > at + 26 else b""
    if not table or len(tail) < at + 27 + tail[at + 26] or len(tail) < at + 27 + len(table) + sum(table):
        raise _cut("its last page is not whole.")


def _matroska(path: Path, sniffed: Sniffed, size: int) -> None:
    """The Segment (RFC 8794, RFC 9559) must end inside the file; an unknown size is what browsers record."""
    at = sniffed.head.find(_EBML_SEGMENT, 4, 4096)
    if at < 0 or len(sniffed.head) < at + 12:
        return
    at += 4
    width = 9 - sniffed.head[at].bit_length()
    value = int.from_bytes(sniffed.head[at : at + width], "big") & ((1 << 7 * width) - 1)
    if value != (1 << 7 * width) - 1 and at + width + value > size:
        raise _cut(f"its header promises {value} bytes and {size - at - width} are there.")


_LAYOUTS: dict[str, Callable[[Path, Sniffed, int], None]] = {
    "wav": _wav,
    "mov": _mov,
    "ogg": _ogg,
    "matroska": _matroska,
}
_COUNTS: dict[str, Callable[[Sniffed, Held], None]] = {"flac": _flac, "mp3": _mp3}


def check_layout(path: Path, sniffed: Sniffed, size: int) -> None:
    """Raises AudioRefused `truncated` if a part of the file at `path` reaches beyond its `size` in bytes."""
    if sniffed.demuxer in _LAYOUTS:
        _LAYOUTS[sniffed.demuxer](path, sniffed, size)


def check_count(sniffed: Sniffed, held: Held) -> None:
    """Raises AudioRefused `truncated` if the header promises more sound than is `held`.

    Raw AAC promises nothing, and neither does an MP3 without Xing: what is there is what it is.
    """
    if sniffed.demuxer in _COUNTS:
        _COUNTS[sniffed.demuxer](sniffed, held)
