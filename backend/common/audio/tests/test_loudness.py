"""Loudness against known signals, and clips brought to one loudness."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.audio import weighting
from common.audio.container import blocks
from common.audio.encode import normalise, write_audio
from common.audio.errors import AudioRefused
from common.audio.graph import Graph
from common.audio.loudness import analyse, analyse_samples, measure, peaks
from common.audio.samples import Samples
from common.audio.tests.conftest import RATE, speechlike
from common.audio.truepeak import TruePeak
from common.audio.values import Loudness, gain_db
from common.audio.weighting import KWeighted


def sine(level_db: float, seconds: float, hertz: float = 1000, channels: int = 2) -> Samples:
    wave = 10 ** (level_db / 20) * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)
    return np.stack([wave] * channels).astype(np.float32)


def decoded(path: Path) -> Samples:
    return np.concatenate([samples for _, samples in blocks(path)], axis=1)


def steps(*parts: tuple[float, float]) -> Samples:
    return np.concatenate([sine(level, seconds) for level, seconds in parts], axis=1)


@pytest.mark.parametrize(
    ("signal", "lufs"),
    [  # EBU Tech 3341, table 1, cases 1 to 4 (shortened where length does not matter)
        (steps((-23, 20)), -23.0),
        (steps((-33, 20)), -33.0),
        (steps((-36, 10), (-23, 60), (-36, 10)), -23.0),
        (steps((-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)), -23.0),
    ],
    ids=["case 1", "case 2", "case 3", "case 4"],
)
def test_integrated_loudness_of_ebu_tech_3341(signal: Samples, lufs: float) -> None:
    assert analyse_samples(signal, RATE).loudness.integrated_lufs == pytest.approx(lufs, abs=0.1)


def by_ffmpeg(signal: Samples, rate: int) -> Loudness:
    """The same measured by FFmpeg's filters: loudness by ebur128, true peak from the samples at 192 kHz."""
    meter = Graph(rate, signal.shape[0], [("ebur128", "metadata=1")])
    finer = Graph(rate, signal.shape[0], [("aresample", "192000"), ("aformat", "sample_fmts=fltp")])
    metered = [frame.metadata.get("lavfi.r128.I") for frame in (*meter.frames(signal), *meter.frames(None))]
    loudness = [float(value) for value in metered if value]
    samples = [frame.to_ndarray() for frame in (*finer.frames(signal), *finer.frames(None))]
    peak = float(np.abs(np.concatenate(samples, axis=1)).max())
    return Loudness(loudness[-1], 20 * math.log10(peak))


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_every_rate_measures_as_by_ffmpeg(rate: int, channels: int) -> None:
    """Gliding speech, a second of near silence for the gate, noise, and a rumble that the weighting takes away."""
    voice = speechlike(4, rate=rate, channels=channels)
    rng = np.random.default_rng(3)
    quiet = 1e-4 * rng.standard_normal((channels, rate))
    hiss = 0.05 * rng.standard_normal((channels, rate * 2))
    rumble = np.tile(0.3 * np.sin(2 * np.pi * 3 * np.arange(rate * 2) / rate), (channels, 1))
    signal = np.concatenate([voice, quiet, hiss, rumble], axis=1).astype(np.float32)
    ours, theirs = analyse_samples(signal, rate).loudness, by_ffmpeg(signal, rate)
    assert ours.integrated_lufs == pytest.approx(theirs.integrated_lufs, abs=0.05)
    assert ours.true_peak_dbtp == pytest.approx(theirs.true_peak_dbtp, abs=0.3)


def test_the_weighting_is_that_of_the_standard() -> None:
    """BS.1770-4 tables 1 and 2, for 48 kHz."""
    (shelf, shelf_below), (high, high_below) = weighting.filters(48_000)
    assert shelf == pytest.approx([1.53512485958697, -2.69169618940638, 1.19839281085285], abs=1e-9)
    assert shelf_below == pytest.approx([1, -1.69065929318241, 0.73248077421585], abs=1e-9)
    assert high == pytest.approx([1, -2, 1])
    assert high_below == pytest.approx([1, -1.99004745483398, 0.99007225036621], abs=1e-9)


@pytest.mark.parametrize("step", [11, 480, 4801, 100_000])
def test_it_does_not_matter_in_which_pieces_sound_comes(step: int) -> None:
    signal = speechlike(0.5 if step < 100 else 3, channels=2)
    whole, pieces = TruePeak(2), TruePeak(2)
    weighted, weighted_pieces = KWeighted(RATE, 2), KWeighted(RATE, 2)
    whole.add(signal)
    weighted.add(signal)
    for at in range(0, signal.shape[1], step):
        pieces.add(signal[:, at : at + step])
        weighted_pieces.add(signal[:, at : at + step])
    for meter in (whole, pieces):
        meter.finish()
    assert pieces.largest == pytest.approx(whole.largest, rel=1e-6)
    assert weighted_pieces.integrated() == pytest.approx(weighted.integrated(), abs=1e-4)


@pytest.mark.parametrize(
    ("part", "degrees", "amplitude", "dbtp"),
    [  # EBU Tech 3341, table 1: part of the sample rate, phase at its start
        pytest.param(4, 0, 0.5, -6.0, id="case 15"),
        pytest.param(4, 45, 0.5, -6.0, id="case 16"),
        pytest.param(6, 60, 0.5, -6.0, id="case 17"),
        pytest.param(8, 67.5, 0.5, -6.0, id="case 18"),
        pytest.param(4, 45, 1.41, 3.0, id="case 19"),
    ],
)
def test_the_true_peak_lies_between_the_samples(
    part: int, degrees: float, amplitude: float, dbtp: float
) -> None:
    time = np.arange(RATE * 2)
    fade = np.minimum(1, np.minimum(time, time[::-1]) / 1000)  # an abrupt start would ring
    wave = (amplitude * fade * np.sin(2 * np.pi / part * time + np.radians(degrees))).astype(np.float32)
    peak = analyse_samples(wave[np.newaxis], RATE).loudness.true_peak_dbtp
    assert peak is not None
    assert dbtp - 0.4 <= peak <= dbtp + 0.2


@pytest.mark.parametrize("offset", [0, 1, 2, 3])
def test_the_true_peak_of_one_louder_cycle_is_found_wherever_the_samples_fall(offset: int) -> None:
    """As EBU Tech 3341 cases 20 to 23: one cycle among many, at four times the rate, band-limited, each fourth kept."""
    time = np.arange(4 * RATE)
    inside = np.abs(time - 2 * RATE) <= 16  # two cycles of fs/4
    fine = np.where(inside, 1.0, 0.5) * np.sin(2 * np.pi * time / 16)
    spectrum = np.fft.rfft(fine * np.hanning(time.size))
    spectrum[RATE // 2 - RATE // 20 :] = 0
    fine = np.fft.irfft(spectrum)
    kept = fine[offset::4].astype(np.float32)
    peak = analyse_samples(kept[np.newaxis], RATE).loudness.true_peak_dbtp
    wanted = 20 * math.log10(np.abs(fine).max())
    assert peak is not None
    assert wanted - 0.4 <= peak <= wanted + 0.2


@pytest.mark.parametrize("at", [0, 1, 23_999, RATE * 2 - 1])
def test_a_click_is_a_peak_wherever_it_stands(at: int) -> None:
    click = sine(-40, 2, channels=1)
    click[0, at] = -0.9
    peak = analyse_samples(click, RATE).loudness.true_peak_dbtp
    assert peak == pytest.approx(20 * math.log10(0.9), abs=0.1)


@pytest.mark.parametrize("damage", [math.nan, math.inf, -math.inf, 1e30])
def test_what_is_no_sample_counts_as_silence(damage: float) -> None:
    whole, damaged = sine(-20, 3), sine(-20, 3)
    damaged[1, RATE] = damage
    expected, measured = analyse_samples(whole, RATE), analyse_samples(damaged, RATE)
    assert measured.loudness.integrated_lufs == pytest.approx(expected.loudness.integrated_lufs, abs=0.05)
    assert measured.loudness.true_peak_dbtp == pytest.approx(expected.loudness.true_peak_dbtp, abs=1)
    assert measured.peaks(10) == expected.peaks(10)


def test_a_file_measures_as_its_samples(tmp_path: Path) -> None:
    write_audio(tmp_path / "a", steps((-23, 5)), RATE, "flac")
    assert measure(tmp_path / "a").integrated_lufs == pytest.approx(-23, abs=0.1)


def test_silence_has_no_loudness_and_gets_no_gain() -> None:
    silent = analyse_samples(np.zeros((1, RATE), np.float32), RATE).loudness
    assert silent == Loudness(None, None)
    assert gain_db(silent) == 0


def test_a_clip_shorter_than_the_gate_reads_as_if_repeated() -> None:
    short = analyse_samples(sine(-20, 0.2), RATE).loudness.integrated_lufs
    assert short == pytest.approx(-20, abs=0.3)


@given(st.floats(-60, 0), st.floats(-60, 3), st.floats(-30, -10), st.floats(-6, 0))
def test_gain_reaches_the_target_or_the_ceiling(
    lufs: float, peak: float, target: float, ceiling: float
) -> None:
    gain = gain_db(Loudness(lufs, peak), target, ceiling)
    assert peak + gain <= ceiling + 1e-9
    assert lufs + gain <= target + 1e-9
    assert min(abs(peak + gain - ceiling), abs(lufs + gain - target)) < 1e-9


def test_peaks_show_where_the_sound_is(tmp_path: Path) -> None:
    signal = np.concatenate([np.zeros((1, RATE), np.float32), sine(0, 1, channels=1) * 0.5], axis=1)
    write_audio(tmp_path / "a", signal, RATE, "wav")
    drawn = peaks(tmp_path / "a", 10)
    assert len(drawn) == 10
    assert max(drawn[:5]) == 0
    assert all(abs(value - 127) <= 2 for value in drawn[5:])


@pytest.mark.parametrize("seconds", [0.001, 0.02, 3.0])
def test_peaks_of_clips_shorter_than_the_picture_has_columns(seconds: float) -> None:
    assert len(analyse_samples(sine(-6, seconds), RATE).peaks(200)) == 200


def voice_with_plosives() -> Samples:
    """Quiet speech with clicks near full scale: it cannot reach −16 LUFS without limiting."""
    voice = speechlike(4, level=0.05)
    for at in range(RATE // 3, voice.shape[1] - 100, RATE // 2):
        voice[0, at : at + 60] += 0.9 * np.hanning(60).astype(np.float32)
    return voice


@pytest.mark.parametrize(
    "signal",
    [
        pytest.param(speechlike(3, level=0.01), id="quiet"),
        pytest.param(speechlike(3, channels=2, level=0.99), id="loud stereo"),
        pytest.param(voice_with_plosives(), id="peaky"),
        pytest.param(speechlike(0.3), id="short"),
    ],
)
def test_normalised_clips_measure_as_they_should(tmp_path: Path, signal: Samples) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    write_audio(source, signal, RATE, "wav")
    result = normalise(source, target)
    again = measure(target)
    assert again == result.loudness
    assert again.integrated_lufs == pytest.approx(-16, abs=0.5)
    assert again.true_peak_dbtp is not None
    assert again.true_peak_dbtp <= -1
    assert result.channels == signal.shape[0]
    assert {path.name for path in tmp_path.iterdir()} == {"source", "target"}


@pytest.mark.parametrize(("duty", "bit_rate"), [(0.1, 64_000), (0.05, 128_000), (0.05, 64_000)])
def test_the_ceiling_holds_where_the_loudness_cannot(tmp_path: Path, duty: float, bit_rate: int) -> None:
    """Bursts of noise, which a low bit rate makes overshoot: more gain gives more peak and no more loudness."""
    time = np.arange(RATE * 3)
    noise = np.clip(np.random.default_rng(2).standard_normal(time.size), -1, 1)
    bursts = noise * (time % (RATE // 4) < RATE // 4 * duty)
    write_audio(tmp_path / "a", bursts[np.newaxis].astype(np.float32), RATE, "wav")
    peak = normalise(tmp_path / "a", tmp_path / "b", bit_rate=bit_rate).loudness.true_peak_dbtp
    assert peak is not None
    assert peak <= -1


@pytest.mark.parametrize(
    ("kind", "rate"), [("wav", 48_000), ("flac", 44_100), ("wav", 22_050), ("opus", 48_000)]
)
def test_mp3_comes_back_at_its_place_and_length(tmp_path: Path, kind: str, rate: int) -> None:
    """Encoder delay and padding are taken off again: within 2 ms by cross-correlation, exact in length."""
    signal = speechlike(2.5, rate=rate)
    write_audio(tmp_path / "source", signal, rate, kind)
    result = normalise(tmp_path / "source", tmp_path / "target")
    back = decoded(tmp_path / "target")[0]
    assert result.sample_rate == (48_000 if rate == 48_000 else 44_100)
    assert abs(result.duration_ms - 2500) <= 1
    step = result.sample_rate // rate or 1
    original, back = decoded(tmp_path / "source")[0], back[::step]
    assert abs(back.size - original.size) <= 1
    reach = rate // 50
    middle = original[rate : rate * 2]
    match = np.correlate(back[rate - reach : rate * 2 + reach], middle, "valid")
    assert abs(int(np.argmax(match)) - reach) < rate * 0.002


def test_trimming_leaves_fifty_milliseconds(tmp_path: Path) -> None:
    quiet = np.zeros((1, RATE), np.float32)
    write_audio(tmp_path / "a", np.concatenate([quiet, sine(-10, 1, channels=1), quiet], axis=1), RATE, "wav")
    assert normalise(tmp_path / "a", tmp_path / "b").duration_ms == 3000
    assert abs(normalise(tmp_path / "a", tmp_path / "b", trim_silence=True).duration_ms - 1100) <= 10
    heard = analyse(tmp_path / "b").audible(0)
    assert heard[0] == pytest.approx(RATE * 0.05, abs=RATE * 0.011)


def test_tempo_changes_length_only(tmp_path: Path) -> None:
    write_audio(tmp_path / "a", speechlike(3), RATE, "wav")
    assert normalise(tmp_path / "a", tmp_path / "b", tempo=1.5).duration_ms == pytest.approx(2000, abs=30)


def test_silence_is_written_as_it_is(tmp_path: Path) -> None:
    write_audio(tmp_path / "a", np.zeros((1, RATE), np.float32), RATE, "wav")
    result = normalise(tmp_path / "a", tmp_path / "b", trim_silence=True)
    assert (result.loudness.integrated_lufs, result.gain_db, result.duration_ms) == (None, 0.0, 1000)


def test_a_failure_leaves_nothing_and_spares_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"no sound")
    (tmp_path / "b").write_bytes(b"the old one")
    with pytest.raises(AudioRefused):
        normalise(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"the old one"
    assert len(list(tmp_path.iterdir())) == 2
