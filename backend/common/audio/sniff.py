"""What a file is, by its first bytes and never by its name.

The demuxer is chosen here and forced on FFmpeg, whose own guess would also open playlists and scripts
that name other files and addresses.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from common.audio.errors import AudioRefused
from common.audio.mpeg import adts_frame, find_chain, id3v2_size, mpeg_frame

_WINDOW = 65536  # bytes after the tags in which sound must begin

_SUPPORTED: tuple[tuple[int, bytes, str], ...] = (  # offset, magic, FFmpeg demuxer
    (8, b"WAVE", "wav"),
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (4, b"ftyp", "mov"),
    (4, b"moov", "mov"),
    (4, b"mdat", "mov"),
)
_UNSUPPORTED: tuple[tuple[int, bytes, str], ...] = (
    (0, b"FORM", "an AIFF file"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a Windows Media file"),
    (0, b"#!AMR", "an AMR recording"),
    (0, b"MThd", "a MIDI file"),
    (0, b"wvpk", "a WavPack file"),
    (0, b"MAC ", "a Monkey's Audio file"),
    (0, b"caff", "a Core Audio file"),
    (0, b".snd", "a Sun audio file"),
    (8, b"AVI ", "an AVI video"),
    (0, b"FLV", "a Flash video"),
    (0, b"\x00\x00\x01\xba", "an MPEG video"),
)
_FOREIGN: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF", "a PDF document"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"\x89PNG", "a PNG image"),
    (0, b"GIF8", "a GIF image"),
    (8, b"WEBP", "a WebP image"),
    (0, b"PK\x03\x04", "a ZIP archive or an office document"),
    (0, b"MZ", "a program"),
    (0, b"\x7fELF", "a program"),
)
ACCEPTED = "MP3, WAV, FLAC, Ogg Vorbis, Opus, AAC/M4A or WebM"


@dataclass(frozen=True)
class Sniffed:
    """`demuxer` is FFmpeg's name; `start` the byte where sound begins after ID3v2 tags and junk; `head`
    up to 64 KiB from there."""

    demuxer: str
    start: int
    head: bytes


def _match(head: bytes, table: tuple[tuple[int, bytes, str], ...]) -> str | None:
    return next((name for at, magic, name in table if head[at : at + len(magic)] == magic), None)


def _is_text(head: bytes) -> bool:
    sample = head[:1024]
    return bool(sample) and all(byte >= 0x20 or byte in b"\t\n\r\f" for byte in sample)


def sniff(path: Path) -> Sniffed:
    """Reads the first bytes of `path`.

    Raises AudioRefused: `empty_file`, `truncated`, `not_audio`, `unsupported_format`.
    """
    with path.open("rb") as file:
        start = 0
        tag = id3v2_size(file.read(10))
        if not tag and not file.tell():
            raise AudioRefused("empty_file", "The file is empty.")
        while tag:
            start += tag
            file.seek(start)
            tag = id3v2_size(file.read(10))
        file.seek(start)
        head = file.read(_WINDOW)
    if not head:
        raise AudioRefused("truncated", "The file holds a title tag and no sound: it seems to be cut off.")
    if demuxer := _match(head, _SUPPORTED):
        return Sniffed(demuxer, start, head)
    if kind := _match(head, _UNSUPPORTED):
        raise AudioRefused("unsupported_format", f"This is {kind}. Please save it as {ACCEPTED}.")
    if kind := _match(head, _FOREIGN):
        raise AudioRefused("not_audio", f"This is {kind}, not a sound file.")
    if found := find_chain(head, mpeg_frame):
        at, frame = found
        if frame.layer != 3:
            raise AudioRefused(
                "unsupported_format", f"This is an MP1 or MP2 file. Please save it as {ACCEPTED}."
            )
        return Sniffed("mp3", start + at, head[at:])
    if found := find_chain(head, adts_frame):
        return Sniffed("aac", start + found[0], head[found[0] :])
    kind = "a text file" if _is_text(head) else "no kind of sound file that is known here"
    raise AudioRefused("not_audio", f"This is {kind}, whatever its name says.")
