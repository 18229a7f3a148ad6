"""Frame headers of MPEG audio (ISO/IEC 11172-3, 13818-3), ADTS (13818-7), ID3v2 sizes and the Xing count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_KBITS = {  # (MPEG-1?, layer): kbit/s by index 1–14
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # by version bits


@dataclass(frozen=True)
class Frame:
    """One frame: `size` in bytes, header included; `family` is equal for frames of one stream."""

    size: int
    layer: int
    family: tuple[int, int, int]
    side_info: int


def mpeg_frame(header: bytes) -> Frame | None:
    """Reads a 4-byte MPEG audio header; None if it is not one (free-format bit rate included)."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    bit_rate, rate = header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or layer == 4 or bit_rate in (0, 15) or rate == 3:
        return None
    first = version == 3
    bits, hertz = _KBITS[first, layer][bit_rate - 1] * 1000, _RATES[version][rate]
    padding = header[2] >> 1 & 1
    if layer == 1:
        size = (12 * bits // hertz + padding) * 4
    else:
        size = (144 if first or layer == 2 else 72) * bits // hertz + padding
    mono = header[3] >> 6 == 3
    side_info = (17 if mono else 32) if first else (9 if mono else 17)
    return Frame(size, layer, (version, layer, rate), side_info)


def adts_frame(header: bytes) -> Frame | None:
    """Reads the first 7 bytes of an ADTS (raw AAC) frame; None if it is not one. `layer` is 0."""
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return None
    size = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    rate = header[2] >> 2 & 15
    if size < 7 or rate > 12:
        return None
    return Frame(size, 0, (header[1] >> 3 & 1, 0, rate), 0)


def chain(data: bytes, start: int, read: Callable[[bytes], Frame | None], *, frames: int = 3) -> Frame | None:
    """The first frame if, from `start`, frames of one stream follow each other, else None.

    Chance matches a sync word often, and three linked headers never. Data that ends early must hold two.
    """
    first = read(data[start : start + 7])
    if first is None:
        return None
    at, seen = start, 0
    while seen < frames:
        frame = read(data[at : at + 7])
        if frame is None or frame.family != first.family:
            return first if seen >= 2 and len(data) - at < 7 else None
        at, seen = at + frame.size, seen + 1
    return first


def find_chain(data: bytes, read: Callable[[bytes], Frame | None]) -> tuple[int, Frame] | None:
    """Offset and first frame of the first chain in `data`: junk and padding before it are passed over."""
    at = data.find(b"\xff")
    while at >= 0:
        frame = chain(data, at, read)
        if frame is not None:
            return at, frame
        at = data.find(b"\xff", at + 1)
    return None


def id3v2_size(head: bytes) -> int:
    """Bytes of the ID3v2 tag at the start of `head` (10 bytes suffice), 0 if there is none."""
    if len(head) < 10 or head[:3] != b"ID3" or any(byte & 0x80 for byte in head[6:10]):
        return 0
    size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return 10 + size + (10 if head[5] & 0x10 else 0)


def xing_frames(data: bytes, at: int, frame: Frame) -> int | None:
    """Number of frames promised by a Xing or Info header in the frame at `at`, None if there is none."""
    tag = at + 4 + frame.side_info
    if data[tag : tag + 4] not in (b"Xing", b"Info") or not data[tag + 7] & 1:
        return None
    return int.from_bytes(data[tag + 8 : tag + 12], "big")
