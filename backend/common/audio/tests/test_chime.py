"""A chime before the words: where they begin, and how loud both are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from common.audio.encode import lead_in, normalise, write_audio
from common.audio.loudness import analyse_samples, measure
from common.audio.synth import CHIMES
from common.audio.tests.conftest import speechlike
from common.audio.tests.test_loudness import decoded


@pytest.mark.parametrize("chime", CHIMES)
@pytest.mark.parametrize(("rate", "channels"), [(44_100, 1), (48_000, 2)])
def test_the_words_begin_at_the_lead_in(tmp_path: Path, chime: str, rate: int, channels: int) -> None:
    """Within 2 ms by cross-correlation of the decoded MP3 with the source; before them nothing for 100 ms."""
    signal = speechlike(2.0, rate=rate, channels=channels)
    write_audio(tmp_path / "source", signal, rate, "wav")
    plain = normalise(tmp_path / "source", tmp_path / "plain")
    result = normalise(tmp_path / "source", tmp_path / "target", chime=chime)
    assert plain.lead_in_ms == 0
    assert 1000 < result.lead_in_ms < 3000
    assert result.duration_ms - result.lead_in_ms == pytest.approx(plain.duration_ms, abs=1)
    clip = decoded(tmp_path / "target")
    middle = decoded(tmp_path / "source")[0, rate // 2 : rate * 3 // 2]
    spread = np.fft.irfft(
        np.fft.rfft(clip[0], clip.shape[1] * 2) * np.conj(np.fft.rfft(middle, clip.shape[1] * 2))
    )
    begin = int(np.argmax(spread[: clip.shape[1]])) - rate // 2
    assert abs(begin - result.lead_in_ms * rate / 1000) < rate * 0.002
    words = result.lead_in_ms * rate // 1000
    assert np.abs(clip[:, words - rate // 10 : words - rate // 200]).max() < 0.01
    assert analyse_samples(clip[:, words:], rate).loudness.integrated_lufs == pytest.approx(-16, abs=0.3)
    bell = clip[:, : words - rate * 3 // 20]
    # LAME scales what it is given by 0.95 (−0.45 dB); the words are measured and made up for, the chime is not.
    assert analyse_samples(bell, rate).loudness.integrated_lufs == pytest.approx(-18.45, abs=0.1)
    whole = measure(tmp_path / "target")
    assert whole.true_peak_dbtp == result.loudness.true_peak_dbtp
    assert result.loudness.integrated_lufs == pytest.approx(-16, abs=0.2)
    assert whole.true_peak_dbtp is not None
    assert whole.true_peak_dbtp <= -1


@pytest.mark.parametrize("chime", CHIMES)
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_a_lead_in_is_whole_milliseconds(chime: str, rate: int) -> None:
    samples, length_ms = lead_in(chime, rate, 2, -18.0)
    assert samples.shape == (2, length_ms * rate / 1000)
    assert not samples[:, -rate * 3 // 20 :].any()


def test_before_silence_it_sounds_as_well(tmp_path: Path) -> None:
    write_audio(tmp_path / "source", np.zeros((1, 48_000), np.float32), 48_000, "wav")
    result = normalise(tmp_path / "source", tmp_path / "target", chime="ding")
    assert (result.loudness.integrated_lufs, result.duration_ms) == (None, 1000 + result.lead_in_ms)


def test_an_unknown_chime_writes_nothing(tmp_path: Path) -> None:
    write_audio(tmp_path / "source", speechlike(0.5), 48_000, "wav")
    with pytest.raises(KeyError):
        normalise(tmp_path / "source", tmp_path / "target", chime="gong")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]
