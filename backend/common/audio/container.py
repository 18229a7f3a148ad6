"""Opening and decoding files, with the demuxer forced to what the bytes say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
from av.stream import Disposition

from common.audio.errors import AudioRefused
from common.audio.samples import Samples
from common.audio.sniff import ACCEPTED, Sniffed, sniff

_NAMES = {
    "mp3": "an MP3",
    "wav": "a WAV",
    "flac": "a FLAC",
    "ogg": "an Ogg",
    "mov": "an M4A",
    "matroska": "a WebM",
    "aac": "an AAC",
}


def broken(sniffed: Sniffed) -> AudioRefused:
    """The refusal of a file whose first bytes are right and whose rest is not."""
    return AudioRefused(
        "truncated",
        f"The file begins like {_NAMES[sniffed.demuxer]} file, and the rest is cut off or damaged.",
    )


@contextmanager
def opened(path: Path, sniffed: Sniffed) -> Iterator[Any]:
    """An open PyAV container. FFmpeg may read this one file and nothing else.

    Raises AudioRefused `truncated` if it begins like its kind and cannot be read as it.
    """
    try:
        container = av.open(
            str(path.absolute()),
            format=sniffed.demuxer,
            options={"protocol_whitelist": "file"},
            metadata_errors="replace",
        )
    except (av.error.InvalidDataError, av.error.EOFError) as error:
        raise broken(sniffed) from error
    with container:
        yield container


def audio_stream(container: Any) -> Any:
    """The first audio stream. Cover pictures are passed over.

    Raises AudioRefused: `no_audio_stream` if there is none, `unsupported_format` for a film.
    """
    film = any(not stream.disposition & Disposition.attached_pic for stream in container.streams.video)
    if not container.streams.audio or container.streams.audio[0].codec_context is None:
        raise AudioRefused(
            "no_audio_stream", "The file is a video without sound." if film else "The file has no sound."
        )
    if film:
        raise AudioRefused("unsupported_format", f"This is a video. Please export its sound as {ACCEPTED}.")
    return container.streams.audio[0]


def _arrays(frames: list[Any]) -> Iterator[tuple[int, Samples]]:
    for frame in frames:
        yield frame.sample_rate, frame.to_ndarray()


def blocks(path: Path) -> Iterator[tuple[int, Samples]]:
    """Decodes `path` in bounded memory: pairs of (sample rate in Hz, samples).

    More than two channels are mixed down to two. A frame that cannot be decoded is passed over, as
    every player does. Raises AudioRefused as `sniff`, `opened` and `audio_stream` do.
    """
    with opened(path, sniff(path)) as container:
        stream = audio_stream(container)
        layout = "mono" if stream.codec_context.channels == 1 else "stereo"
        resampler = av.AudioResampler(format="fltp", layout=layout, rate=stream.codec_context.sample_rate)
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                continue
            for frame in frames:
                yield from _arrays(resampler.resample(frame))
        yield from _arrays(resampler.resample(None))
