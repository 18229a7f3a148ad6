"""Files of every kind, made once per run."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from common.audio.encode import write_audio
from common.audio.samples import Samples

RATE = 48_000


def speechlike(seconds: float, *, channels: int = 1, rate: int = RATE, level: float = 0.2) -> Samples:
    """A gliding tone with syllables and breath, so that it correlates with itself at one place only."""
    count = round(seconds * rate)
    time = np.arange(count) / rate
    noise = np.random.default_rng(7).standard_normal(count)
    syllables = np.clip(np.sin(2 * np.pi * 2.3 * time), 0, 1) ** 0.5
    voice = syllables * np.sin(2 * np.pi * (220 * time + 40 * np.sin(3 * time))) + 0.02 * noise
    return np.stack([level * voice] * channels).astype(np.float32)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three seconds, stereo, in every format, by name of the codec; the names of the files tell nothing."""
    folder = tmp_path_factory.mktemp("files")
    made = {}
    for codec in ("mp3", "wav", "flac", "opus", "vorbis", "aac", "adts", "webm"):
        made[codec] = folder / f"{codec}.bin"
        write_audio(
            made[codec], speechlike(3.0, channels=2), RATE, codec, tags={"title": "T\x07ea", "artist": "Ä"}
        )
    return made


def write_film(path: Path, *, sound: bool) -> None:
    """Half a second of video as MP4."""
    with av.open(str(path), "w", format="mp4") as container:
        picture = container.add_stream("mpeg4", rate=25)
        picture.width, picture.height, picture.pix_fmt = 64, 64, "yuv420p"
        voice = container.add_stream("aac", rate=RATE, layout="mono") if sound else None
        for _ in range(12):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        if voice is not None:
            frame = av.AudioFrame.from_ndarray(
                np.zeros((1, RATE // 2), np.float32), format="fltp", layout="mono"
            )
            frame.sample_rate = RATE
            container.mux(voice.encode(frame))
            container.mux(voice.encode(None))
