"""What an uploaded file is: format, length, hash and tags, read from the sound itself.

All packets are demuxed, which is cheap, and only the first and the last are decoded, since this runs
inside an upload request.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from common.audio.container import audio_stream, broken, opened
from common.audio.errors import AudioRefused
from common.audio.promises import Held, check_count, check_layout
from common.audio.sniff import ACCEPTED, Sniffed, sniff
from common.audio.values import AudioFacts, Limits, Tags

_HEAD, _TAIL = 8, 8  # packets decoded at each end

_MIMES: dict[tuple[str, str], str] = {  # (demuxer, codec)
    ("mp3", "mp3"): "audio/mpeg",
    ("flac", "flac"): "audio/flac",
    ("ogg", "vorbis"): "audio/ogg",
    ("ogg", "opus"): "audio/ogg",
    ("mov", "aac"): "audio/mp4",
    ("aac", "aac"): "audio/aac",
    ("matroska", "opus"): "audio/webm",
    ("matroska", "vorbis"): "audio/webm",
    **{
        ("wav", codec): "audio/wav"
        for codec in ("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le")
    },
}


_TAG_LIMITS = {"title": 200, "artist": 200, "album": 200, "genre": 100}
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}\d{7}")  # ISO 3901


def clean_tag(value: str, limit: int) -> str:
    """One line of at most `limit` characters, NFC, without control, format and undecodable characters."""
    text = "".join(
        " " if char.isspace() else char
        for char in value
        if char.isspace() or unicodedata.category(char)[0] != "C"
    )
    return " ".join(unicodedata.normalize("NFC", text).replace("\ufffd", "").split())[:limit].rstrip()


def _tags(*sources: Mapping[str, str]) -> Tags:
    found = {key.lower(): value for source in reversed(sources) for key, value in source.items()}
    isrc = re.sub(r"[^A-Z0-9]", "", (found.get("isrc") or found.get("tsrc") or "").upper())
    return Tags(
        **{name: clean_tag(found.get(name, ""), limit) for name, limit in _TAG_LIMITS.items()},
        isrc=isrc if _ISRC.fullmatch(isrc) else "",
    )


def _skipped(packet: Any) -> tuple[int, int]:
    """Samples to drop at the start and the end of `packet` (encoder delay and padding)."""
    if not packet.has_sidedata("skip_samples"):
        return 0, 0
    data = bytes(packet.get_sidedata("skip_samples"))
    return int.from_bytes(data[0:4], "little"), int.from_bytes(data[4:8], "little")


@dataclass(frozen=True)
class _Demuxed:
    held: Held
    seconds: Fraction
    tail: tuple[Any, ...]


def _decodes(packets: Sequence[Any], *, faults: bool = True) -> bool:
    """True if the packets give sound; `faults` says whether some of them may not."""
    sound = 0
    for packet in packets:
        try:
            sound += sum(frame.samples for frame in packet.decode())
        except av.error.FFmpegError:
            if not faults:
                return False
    return sound > 0


def _demux(container: Any, stream: Any, sniffed: Sniffed, limits: Limits) -> _Demuxed:
    """Walks all packets, decoding the first ones.

    Most containers stamp samples that are not to be heard with times below zero and shorten the last
    packet; MP3 gives them apart, as samples to skip.
    """
    base, rate = stream.time_base, stream.codec_context.sample_rate
    most = Fraction(limits.max_duration_ms + 1000, 1000) / base
    start: int | None = None
    end = packets = usual = skip = 0
    head: list[Any] = []
    tail: deque[Any] = deque(maxlen=_TAIL)
    for packet in container.demux(stream):
        if not packet.size:
            continue
        packets += 1
        usual = packet.duration or usual
        at = end if packet.pts is None else packet.pts
        if start is None:
            start = max(0, at)
            if sniffed.demuxer == "mp3":
                skip += _skipped(packet)[0]
        end = max(end, at + (packet.duration or usual))
        if packets <= _HEAD:
            head.append(packet)
            if packets == _HEAD and not _decodes(head):
                raise broken(sniffed)
        tail.append(packet)
        if end - start > most:
            raise _too_long(limits)
    if not packets:
        raise AudioRefused("empty_file", "The file holds no sound.")
    if packets < _HEAD and not _decodes(head):
        raise broken(sniffed)
    if sniffed.demuxer == "mp3":
        skip += _skipped(tail[-1])[1]
    seconds = (end - (start or 0)) * base - Fraction(skip, rate)
    held = Held(packets, round((end - (start or 0)) * base * rate), bytes(tail[-1]))
    return _Demuxed(held, max(seconds, Fraction(0)), tuple(tail))


def _too_long(limits: Limits) -> AudioRefused:
    minutes = limits.max_duration_ms / 60_000
    return AudioRefused("too_long", f"The sound is longer than the {minutes:g} minutes that are allowed.")


def inspect(path: Path, limits: Limits) -> AudioFacts:
    """Reads the facts of the file at `path`. Raises AudioRefused; see there for the codes.

    Work is bounded by `limits`: demuxing stops at the first packet beyond the allowed length. Memory
    does not grow with the file.
    """
    size = path.stat().st_size
    if size > limits.max_bytes:
        megabytes = limits.max_bytes / 1_000_000
        raise AudioRefused("too_large", f"The file is larger than the {megabytes:g} MB that are allowed.")
    sniffed = sniff(path)
    check_layout(path, sniffed, size)
    with opened(path, sniffed) as container:
        stream = audio_stream(container)
        codec = stream.codec_context.codec.canonical_name
        mime = _MIMES.get((sniffed.demuxer, codec))
        if mime is None:
            raise AudioRefused(
                "unsupported_format", f"Sound of kind {codec} is not known. Please use {ACCEPTED}."
            )
        rate, channels = stream.codec_context.sample_rate, stream.codec_context.channels
        if not rate or not channels:
            raise broken(sniffed)
        demuxed = _demux(container, stream, sniffed, limits)
        check_count(sniffed, demuxed.held)
        stream.codec_context.flush_buffers()
        # Lossy codecs may fail on a first packet out of its context; each FLAC frame stands alone.
        if not _decodes(demuxed.tail, faults=sniffed.demuxer != "flac"):
            raise AudioRefused("truncated", "The end of the file cannot be played: it seems to be cut off.")
        tags = _tags(container.metadata, stream.metadata)
    duration_ms = round(demuxed.seconds * 1000)
    if duration_ms > limits.max_duration_ms:
        raise _too_long(limits)
    if not duration_ms:
        raise AudioRefused("empty_file", "The file holds no sound.")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return AudioFacts(sniffed.demuxer, codec, mime, size, digest, duration_ms, rate, channels, tags)
