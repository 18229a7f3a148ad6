"""The mixer measured: levels, fades, ducking, guard, and where exactly a clip begins."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync2gear_player.mixer import RATE, US_PER_FRAME
from sync2gear_player.mixer.ducking import Duck, music_gain
from sync2gear_player.mixer.graph import Levels, Mixer
from sync2gear_player.mixer.levels import gain_of_db, gain_of_volume, power_ramp
from sync2gear_player.mixer.limiter import CEILING, Limiter
from sync2gear_player.mixer.playhead import SLIP_FROM, Playhead
from sync2gear_player.mixer.timeline import Timeline
from sync2gear_player.mixer.tones import identify, sine
from sync2gear_player.mixer.voices import Clip, ClipEnded, ClipStarted

T0 = 1_790_000_000_000_000
BLOCK = 480
VECTORS = Path(__file__).parents[2] / "backend/schedules/domain/vectors/engine.json"


class Music:
    """A constant, so that every gain can be read off the mix."""

    def __init__(self, level=0.5, silences=()):
        self.level, self.silences = level, silences

    def render(self, timeline, frames):
        return np.full((frames, 2), self.level, dtype=np.float32)

    def silent(self, instant):
        return any(begin <= instant - T0 < end for begin, end in self.silences)


def render(mixer: Mixer, seconds: float, *, first=0, ppm=0.0, each=None):
    """The mix as one channel, and what was noted; frame 0 is heard at T0."""
    blocks, notes = [], []
    us_per_frame = US_PER_FRAME * (1 + ppm * 1e-6)
    for frame in range(first, first + round(seconds * RATE), BLOCK):
        if each is not None:
            each(frame, T0 + frame * us_per_frame)
        block, heard = mixer.render(Timeline(frame, T0 + frame * us_per_frame, us_per_frame), BLOCK)
        blocks.append(block)
        notes += heard
    return np.concatenate(blocks)[:, 0], notes


def loud(mixer: Mixer, **levels) -> Mixer:
    """Past its own fade in."""
    mixer.levels = Levels(**({"volume": 100} | levels))
    render(mixer, 1.2, first=-BLOCK * 120)
    return mixer


def constant(seconds: float, level=0.25):
    return np.full((round(seconds * RATE), 2), round(level * 32768), dtype=np.int16)


def clip(start_s: float, seconds: float = 1.0, **fields) -> Clip:
    values = {
        "key": "e",
        "kind": "announcement",
        "pcm": constant(seconds),
        "start_at": T0 + round(start_s * 1e6),
    }
    return Clip(**(values | fields))


def db(gain: float) -> float:
    return 20 * np.log10(gain)


@pytest.mark.parametrize(
    ("volume", "level"), [(100, 0.0), (75, -5.0), (50, -12.04), (25, -24.08), (10, -40.0)]
)
def test_the_volume_curve(volume, level):
    assert db(gain_of_volume(volume)) == pytest.approx(level, abs=0.01)
    mixed, _ = render(loud(Mixer(Music()), volume=volume), 0.1)
    assert db(mixed[-1] / 0.5) == pytest.approx(level, abs=0.01)


def test_silence_at_both_ends_of_the_scales():
    assert gain_of_volume(0) == 0.0
    assert gain_of_db(-120.0) == 0.0
    assert gain_of_db(0.0) == 1.0


@pytest.mark.parametrize(
    "case",
    [case for case in json.loads(VECTORS.read_text())["cases"] if case["group"] == "gain"],
    ids=lambda case: f"{case['id']} {case['note']}",
)
def test_ducking_is_what_the_server_draws(case):
    ducks = [Duck(begin, end, -120.0 if db is None else db) for begin, end, db in case["in"]["plays"]]
    assert [music_gain(ducks, at) for at in case["in"]["at"]] == pytest.approx(case["expect"])


def test_music_is_down_when_the_words_start_and_back_afterwards():
    mixer = loud(Mixer(Music()))
    mixer.add(clip(1.0, pcm=np.zeros((RATE, 2), dtype=np.int16), duck_db=-15.0))
    mixed, _ = render(mixer, 4.5)
    gain = mixed / 0.5

    def at(second):
        return gain[round(second * RATE)]

    assert at(0.45) == pytest.approx(1.0, abs=1e-3)
    assert db(at(1.0)) == pytest.approx(-15.0, abs=0.1)
    assert db(at(1.9)) == pytest.approx(-15.0, abs=0.1)
    assert at(2.75) == pytest.approx((1 + gain_of_db(-15)) / 2, abs=0.01)
    assert at(3.55) == pytest.approx(1.0, abs=1e-3)
    assert np.abs(np.diff(gain)).max() < 1e-3, "no clicks"


def test_an_announcement_that_comes_too_late_for_the_fade_ducks_without_a_click():
    mixer = loud(Mixer(Music()))
    mixer.add(clip(0.1, pcm=np.zeros((RATE, 2), dtype=np.int16), duck_db=-120.0))
    mixed, _ = render(mixer, 0.5)
    assert np.abs(np.diff(mixed)).max() < 0.5 / (0.04 * RATE)
    assert mixed[round(0.2 * RATE)] == 0.0


@settings(max_examples=40, deadline=None)
@given(start=st.floats(0.0, 0.05), ppm=st.floats(-200, 200))
def test_a_clip_begins_on_the_nearest_frame_whatever_the_crystal(start, ppm):
    mixer = loud(Mixer(Music(0.0)))
    wanted = clip(start, 0.05)
    mixer.add(wanted)
    mixed, notes = render(mixer, 0.2, ppm=ppm)
    begin, ended = notes
    assert isinstance(begin, ClipStarted)
    assert isinstance(ended, ClipEnded)
    first = int(np.flatnonzero(mixed)[0])
    assert begin.frame == first
    heard_at = T0 + first * US_PER_FRAME * (1 + ppm * 1e-6)
    assert abs(heard_at - wanted.start_at) <= US_PER_FRAME * 0.51
    assert begin.at == pytest.approx(heard_at, abs=0.5)
    assert ended.played_frames == np.count_nonzero(mixed) == 2400


def test_a_joined_clip_enters_at_its_position_without_a_click():
    ramp = np.repeat((np.arange(RATE) * 20000 // RATE).astype(np.int16)[:, None], 2, axis=1)
    mixer = loud(Mixer(Music(0.0)))
    mixer.add(clip(0.1, pcm=ramp, offset_frames=RATE // 2))
    mixed, notes = render(mixer, 1.0)
    assert notes[1].played_frames == RATE // 2
    at = round(0.3 * RATE)
    assert mixed[at] == pytest.approx((ramp[RATE // 2 + round(0.2 * RATE), 0]) / 32768, abs=1e-4)
    assert np.abs(np.diff(mixed[: round(0.55 * RATE)])).max() < 0.05


def test_a_clip_that_was_handed_over_late_is_in_step_all_the_same():
    ramp = np.repeat((np.arange(RATE) * 20000 // RATE).astype(np.int16)[:, None], 2, axis=1)
    mixer = loud(Mixer(Music(0.0)))
    mixer.add(clip(-0.25, pcm=ramp))
    mixed, notes = render(mixer, 0.5)
    assert mixed[RATE // 4] == pytest.approx(ramp[RATE // 2, 0] / 32768, abs=1e-4)
    assert notes[0].at == T0


def test_fade_out_disarm_and_what_never_sounded():
    mixer = loud(Mixer(Music(0.0)))
    mixer.add(clip(0.1, key="faded"))
    mixer.add(clip(0.6, key="disarmed"))
    mixer.disarm("disarmed")
    mixed, notes = render(mixer, 0.3)
    mixer.fade_out("faded", T0 + 500_000, 150)
    mixer.disarm("faded")
    more, later = render(mixer, 1.0, first=round(0.3 * RATE))
    mixed = np.concatenate([mixed, more])
    assert np.flatnonzero(mixed)[-1] == pytest.approx(0.5 * RATE, abs=2)
    assert mixed[round(0.425 * RATE)] == pytest.approx(0.25 * 0.5, abs=0.002)
    assert [note.played_frames for note in later] == [pytest.approx(0.4 * RATE, abs=2)]
    mixer.add(clip(2.0, key="unheard"))
    mixer.fade_out("unheard", T0 + 1_900_000, 100)
    _, notes = render(mixer, 1.0, first=round(1.5 * RATE))
    assert [type(note) for note in notes] == [ClipEnded]
    assert notes[0].played_frames == 0


@pytest.mark.parametrize(
    ("levels", "emergency", "heard"),
    [
        ({}, False, True),
        ({"muted": True}, False, False),
        ({"silenced": True}, False, False),
        ({"muted": True}, True, True),
        ({"silenced": True}, True, True),
        ({"music_off": True}, False, True),
        ({"volume": 0}, False, True),
    ],
)
def test_mute_and_locked(levels, emergency, heard):
    mixer = loud(Mixer(Music()), **levels)
    mixer.add(clip(0.1, emergency=emergency, duck_db=-120.0))
    mixed, notes = render(mixer, 0.5)
    assert (mixed[round(0.3 * RATE)] > 0.2) == heard
    assert notes[0].muted == (not heard)
    before = render(loud(Mixer(Music()), **levels), 0.2)[0][-1]
    assert (before == 0.0) == bool(levels)


def test_music_is_silent_for_the_whole_of_a_silence_and_fades_at_its_edges():
    mixed, _ = render(loud(Mixer(Music(silences=[(2_000_000, 3_000_000)]))), 5.0)
    assert mixed[round(0.9 * RATE)] == pytest.approx(0.5)
    assert np.abs(mixed[round(2.02 * RATE) : round(3.0 * RATE)]).max() == 0.0
    assert mixed[round(4.1 * RATE)] == pytest.approx(0.5)


def test_a_fade_that_is_linear_in_power_adds_up():
    rise, fall = power_ramp(np.arange(1000.0), 1000), power_ramp(1000 - np.arange(1000.0), 1000)
    assert rise**2 + fall**2 == pytest.approx(np.ones(1000))


def test_the_guard_keeps_what_adds_up_below_full_scale():
    limiter, rng = Limiter(), np.random.default_rng(1)
    quiet = (0.2 * rng.standard_normal((BLOCK, 2))).astype(np.float32)
    assert limiter.process(quiet) is quiet
    blocks = [limiter.process(quiet * 12) for _ in range(20)]
    assert max(np.abs(block).max() for block in blocks) < 1.0
    assert max(np.abs(block).max() for block in blocks[1:]) <= CEILING + 1e-4
    for _ in range(30):
        after = limiter.process(quiet)
    assert after is quiet, "recovered"


@settings(max_examples=30, deadline=None)
@given(ppm=st.floats(-300, 300), start=st.floats(-1000, 1000))
def test_the_playhead_follows_a_wrong_crystal_within_a_millisecond(ppm, start):
    head = Playhead(may_jump=False)
    head.read(start, BLOCK, lambda at, n: np.zeros((n, 2), dtype=np.float32))
    worst = 0.0
    for block in range(1, 3000):
        wanted = start + block * BLOCK * (1 + ppm * 1e-6)
        worst = max(worst, abs(wanted - head.position))
        head.read(wanted, BLOCK, lambda at, n: np.zeros((n, 2), dtype=np.float32))
    assert worst <= SLIP_FROM + 2


def test_a_slip_is_smooth():
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE).astype(np.float32)[:, None].repeat(2, axis=1)
    head, blocks = Playhead(may_jump=False), []
    for block in range(90):
        wanted = block * BLOCK + (60 if block > 10 else 0)
        blocks.append(head.read(wanted, BLOCK, lambda at, n: tone[at : at + n]))
    heard = np.concatenate(blocks)[:, 0]
    steepest = np.abs(np.diff(tone[:, 0])).max()
    assert np.abs(np.diff(heard)).max() < steepest * 1.01
    assert head.position == 90 * BLOCK + 60, "all sixty frames were slipped"


def test_music_jumps_when_the_clock_was_set_anew():
    head = Playhead(may_jump=True)
    head.read(0, BLOCK, lambda at, n: np.zeros((n, 2), dtype=np.float32))
    head.read(BLOCK + 5000.4, BLOCK, lambda at, n: np.zeros((n, 2), dtype=np.float32))
    assert head.position == 2 * BLOCK + 5000


def test_tones():
    tone = sine(1000, 500)[:, 0] / 32768
    spectrum = np.abs(np.fft.rfft(tone))
    assert np.argmax(spectrum) * RATE / len(tone) == pytest.approx(1000, abs=2)
    assert len(tone) == RATE // 2
    assert abs(tone[0]) < 0.01
    assert len(identify()) == round(0.75 * RATE)
