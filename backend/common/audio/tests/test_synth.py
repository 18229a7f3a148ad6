"""Generated sound: gentle, different, the same for the same seed."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from common.audio.encode import write_audio
from common.audio.facts import inspect
from common.audio.loudness import analyse_samples
from common.audio.synth import CHIMES, RATE, STYLES, chime, demo_track, style_of
from common.audio.values import Limits


def test_equal_seeds_give_equal_music_and_others_other_music() -> None:
    first, again, other = demo_track(1, 8), demo_track(1, 8), demo_track(5, 8)
    assert np.array_equal(first, again)
    assert style_of(1) == style_of(5)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("seed", range(len(STYLES)))
def test_music_is_gentle(seed: int) -> None:
    track = demo_track(seed, 12)
    assert track.shape == (2, 12 * RATE)
    assert np.isfinite(track).all()
    analysis = analyse_samples(track, RATE)
    assert analysis.loudness.true_peak_dbtp is not None
    assert analysis.loudness.true_peak_dbtp <= -2.9
    assert analysis.loudness.integrated_lufs is not None
    assert -20 < analysis.loudness.integrated_lufs < -13
    assert abs(track.mean()) < 0.001
    assert np.abs(track[:, [0, -1]]).max() < 0.001
    spectrum = np.abs(np.fft.rfft(track[0])) ** 2
    hertz = np.fft.rfftfreq(track.shape[1], 1 / RATE)
    assert spectrum[hertz > 5000].sum() / spectrum.sum() < 0.01
    assert np.abs(track[0] - track[1]).max() > 0.05


def test_a_track_is_made_while_somebody_waits(tmp_path: Path) -> None:
    """Seen: 1.1 s for 45 s of music. The bound is processor time, with room for a busy machine."""
    started = time.process_time()
    track = demo_track(2, 45)
    write_audio(tmp_path / "a", track, RATE, tags={"title": style_of(2).title, "artist": "sync2gear"})
    assert time.process_time() - started < 3
    facts = inspect(tmp_path / "a", Limits())
    assert (facts.duration_ms, facts.tags.title, facts.tags.artist) == (45_000, "Side Street", "sync2gear")


@pytest.mark.parametrize("name", CHIMES)
def test_chimes(name: str) -> None:
    sound = chime(name)
    assert sound.shape[0] == 1
    assert 1 <= sound.shape[1] / RATE <= 2
    assert np.abs(sound).max() == pytest.approx(10 ** (-6 / 20), abs=0.001)
    assert np.abs(sound[:, [0, -1]]).max() < 0.001
