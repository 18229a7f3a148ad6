"""Writing sound: plain files, and clips brought to one loudness."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import av
import numpy as np

from common.audio import synth
from common.audio.container import blocks
from common.audio.files import replacing
from common.audio.graph import Graph, frame_of, layout_of
from common.audio.loudness import Analysis, analyse, analyse_blocks, analyse_samples
from common.audio.samples import Samples
from common.audio.values import Loudness, Normalised, gain_db

_CODECS = {  # name: (FFmpeg encoder, container, encoder options)
    "mp3": ("libmp3lame", "mp3", {"compression_level": "7"}),
    "wav": ("pcm_s16le", "wav", {}),
    "flac": ("flac", "flac", {}),
    "opus": ("libopus", "ogg", {}),
    "aac": ("aac", "mp4", {}),
    "adts": ("aac", "adts", {}),
    "vorbis": ("vorbis", "ogg", {"strict": "-2"}),
    "webm": ("libopus", "webm", {}),
}
_LIMITER_HZ = 192_000
_TOLERANCE_LU = 0.2
_ROUNDS = 4  # for the loudness; as many again may follow for the ceiling alone
_CHIME_LU = -2.0  # against the words: there to be noticed, not to startle
_BREATH_MS = 150  # of silence between chime and words
_GRID_MS = 10  # a lead-in of tens of milliseconds is a whole number of samples at 44.1 and at 48 kHz


def write_frames(
    path: Path,
    frames: Iterable[Any],
    rate: int,
    channels: int,
    codec: str = "mp3",
    *,
    bit_rate: int = 128_000,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Encodes PyAV frames to `path`, whose name does not matter. `codec` is a key of the table of codecs.

    MP3 carries the LAME header, so that decoders give back exactly the samples that went in.
    """
    encoder, container_name, options = _CODECS[codec]
    with av.open(str(path), "w", format=container_name) as container:
        container.metadata.update(tags or {})
        stream: Any = container.add_stream(encoder, rate=rate, layout=layout_of(channels), options=options)
        stream.bit_rate = bit_rate
        wanted = stream.codec_context.codec.audio_formats[0]
        resampler = av.AudioResampler(format=wanted, layout=layout_of(channels), rate=rate)
        for frame in itertools.chain(frames, [None]):
            for converted in resampler.resample(frame):
                container.mux(stream.encode(converted))
        container.mux(stream.encode(None))


def write_audio(
    path: Path,
    samples: Samples,
    rate: int,
    codec: str = "mp3",
    *,
    bit_rate: int = 128_000,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Encodes samples of one or two channels to `path` as mp3, wav, flac, opus, aac, adts, vorbis or webm."""
    frames = (frame_of(samples[:, at : at + rate], rate, at) for at in range(0, samples.shape[1], rate))
    write_frames(path, frames, rate, samples.shape[0], codec, bit_rate=bit_rate, tags=tags)


def _cut(source: Path, start: int, end: int) -> Iterator[Samples]:
    """The samples of `source` from `start` to `end`."""
    at = 0
    for _, samples in blocks(source):
        piece = samples[:, max(0, start - at) : max(0, end - at)]
        at += samples.shape[1]
        if piece.shape[1]:
            yield piece


def _rendered(
    source: Path, clip: Analysis, bounds: tuple[int, int], rate: int, tempo: float, gain: float, limit: float
) -> Iterator[Any]:
    """Frames of the clip with `gain` dB, limited to `limit` dBTP.

    The limiter looks ahead 5 ms and works on 192 kHz, where the peaks between samples can be seen; its
    delay and the resamplers' are compensated.
    """
    graph = Graph(
        clip.rate,
        clip.channels,
        [
            *([("atempo", f"{tempo:.3f}")] if tempo != 1 else []),
            ("volume", f"volume={gain:.3f}dB:precision=float"),
            ("aresample", str(_LIMITER_HZ)),
            ("alimiter", f"limit={10 ** (limit / 20):.5f}:attack=5:release=50:level=0:latency=1"),
            ("aresample", str(rate)),
            ("aformat", "sample_fmts=fltp"),
        ],
    )
    for samples in _cut(source, *bounds):
        yield from graph.frames(samples)
    yield from graph.frames(None)


def lead_in(chime: str | None, rate: int, channels: int, lufs: float) -> tuple[Samples, int]:
    """The chime at `lufs` with its true peak at most −3 dBTP and 150 ms of silence, and its length in ms, exact.

    `rate` is 44100 or 48000 Hz. Nothing and 0 for None. Raises KeyError for a name not in `synth.CHIMES`.
    """
    if chime is None:
        return np.zeros((channels, 0), np.float32), 0
    bell = np.repeat(synth.chime(chime), channels, axis=0)
    bell *= np.float32(10 ** (gain_db(analyse_samples(bell, synth.RATE).loudness, lufs, -3.0) / 20))
    graph = Graph(
        synth.RATE, channels, [("aresample", str(rate)), ("aformat", f"sample_fmts=fltp:sample_rates={rate}")]
    )
    frames = itertools.chain(graph.frames(bell), graph.frames(None))
    bell = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)
    length_ms = -(-bell.shape[1] * 1000 // (rate * _GRID_MS)) * _GRID_MS + _BREATH_MS
    return np.pad(bell, ((0, 0), (0, length_ms * rate // 1000 - bell.shape[1]))), length_ms


def _after(lead: Samples, frames: Iterable[Any], rate: int) -> Iterator[Any]:
    """`frames` with the samples of `lead` before them, numbered throughout."""
    at = 0
    for samples in itertools.chain([lead], (frame.to_ndarray() for frame in frames)):
        if samples.shape[1]:
            yield frame_of(samples, rate, at)
        at += samples.shape[1]


def _measured(clip: Path, lead: int) -> tuple[Loudness, int]:
    """Loudness of a clip after its first `lead` samples, with the true peak of all of it; length in samples."""
    whole = analyse(clip)
    if not lead:
        return whole.loudness, whole.samples
    words = analyse_blocks((whole.rate, samples) for samples in _cut(clip, lead, whole.samples)).loudness
    return Loudness(words.integrated_lufs, whole.loudness.true_peak_dbtp), whole.samples


def normalise(
    source: Path,
    target: Path,
    *,
    target_lufs: float = -16.0,
    ceiling_dbtp: float = -1.0,
    trim_silence: bool = False,
    tempo: float = 1.0,
    chime: str | None = None,
    codec: str = "mp3",
    bit_rate: int = 128_000,
    tags: Mapping[str, str] | None = None,
) -> Normalised:
    """Writes `source` to `target` at the target loudness with its true peak at or below the ceiling.

    Limiting and lossy coding both move loudness and peak, so the finished file is measured and written
    again until it is within 0.2 LU and below the ceiling: twice as a rule. After four times only the ceiling
    counts, which a clip of little but bursts cannot keep at full loudness. `trim_silence` leaves 50 ms before
    and after what can be heard; `tempo` (0.5–2) makes it faster at the same pitch. Silence is written as it
    is. Mono stays mono; 44.1 kHz for the rates that divide it, else 48 kHz. A `chime` of `synth.CHIMES` goes
    before it, see `lead_in`, 2 LU below the target, less the 0.45 dB that LAME takes off; loudness is then
    that of the sound after it. `target` appears only when it is whole. Raises AudioRefused if the source is no
    sound that can be opened.
    """
    clip = analyse(source)
    bounds = clip.audible(50) if trim_silence else (0, clip.samples)
    rate = 44_100 if 44_100 % clip.rate == 0 else 48_000
    measured = clip.loudness
    gain, limit = 0.0, ceiling_dbtp - 0.3
    if measured.integrated_lufs is not None:
        gain = target_lufs - measured.integrated_lufs
    lead, lead_in_ms = lead_in(chime, rate, clip.channels, target_lufs + _CHIME_LU)
    with replacing(target) as part:
        for turn in range(2 * _ROUNDS):
            frames = _rendered(source, clip, bounds, rate, tempo, gain, limit)
            whole = _after(lead, frames, rate)
            write_frames(part, whole, rate, clip.channels, codec, bit_rate=bit_rate, tags=tags)
            measured, length = _measured(part, lead.shape[1])
            if measured.integrated_lufs is None or measured.true_peak_dbtp is None:
                break
            short = target_lufs - measured.integrated_lufs
            over = measured.true_peak_dbtp - ceiling_dbtp
            if over <= 0 and (abs(short) <= _TOLERANCE_LU or turn >= _ROUNDS):
                break
            if over > 0:
                limit -= over + 0.1
            if turn < _ROUNDS:
                gain += short
    return Normalised(round(length * 1000 / rate), measured, gain, rate, clip.channels, lead_in_ms)
