"""The programme's sound: positions, joints, crossfades, rounds, and crystals that are wrong."""

from __future__ import annotations

import numpy as np
import pytest

from sync2gear_player.messages import Desired
from sync2gear_player.mixer import RATE, US_PER_FRAME
from sync2gear_player.mixer.timeline import Timeline
from sync2gear_player.plan import Asset, Plan, Segment
from sync2gear_player.programme import Programme

T0 = 1_790_000_000_000_000
BLOCK = 480
LONG = 120


class Ramp:
    """A source whose samples tell their own position: frame n is n / RATE / LONG."""

    starved_frames = 0

    def __init__(self, position=0, *, seconds=LONG, ready=True):
        self.frames, self.is_ready, self.closed, self.opened_at = seconds * RATE, ready, False, position

    def ready(self, position):
        return self.is_ready

    def reaches(self, position):
        return True

    def read(self, position, frames):
        at = np.arange(position, position + frames)
        inside = (at >= 0) & (at < self.frames)
        return np.repeat(np.where(inside, at / RATE / LONG, 0.0).astype(np.float32)[:, None], 2, axis=1)

    def close(self):
        self.closed = True


class Noise(Ramp):
    def __init__(self, seed):
        super().__init__()
        self.samples = (0.1 * np.random.default_rng(seed).standard_normal((40 * RATE, 2))).astype(np.float32)

    def read(self, position, frames):
        return self.samples[position : position + frames]


def plan_of(*segments: Segment, hours=24.0, gain_db=0.0, seconds=LONG) -> Plan:
    return Plan(
        version=1,
        device_id="d",
        valid_from=T0,
        valid_until=T0 + round(hours * 3_600_000_000),
        timezone="UTC",
        desired=Desired(rev=1, volume=50),
        assets=tuple(
            Asset(sha256=name, bytes=1, mime="", duration_ms=seconds * 1000, gain_db=gain_db)
            for name in {segment.sha256 for segment in segments}
        ),
        programme=segments,
    )


def segment(name, begin_s, end_s, **fields) -> Segment:
    return Segment(
        id=name,
        kind="music",
        sha256=fields.pop("sha256", name),
        start_at=T0 + round(begin_s * 1e6),
        end_at=T0 + round(end_s * 1e6),
        **fields,
    )


def render(programme, begin_s, seconds, *, ppm=0.0):
    us_per_frame = US_PER_FRAME * (1 + ppm * 1e-6)
    blocks = [
        programme.render(Timeline(frame, T0 + begin_s * 1e6 + frame * us_per_frame, us_per_frame), BLOCK)
        for frame in range(0, round(seconds * RATE), BLOCK)
    ]
    return np.concatenate(blocks)[:, 0]


def playing(plan, sources=None, opened=None):
    def opener(sha256, position):
        source = sources[sha256] if sources else Ramp(position)
        if opened is not None:
            opened.append((sha256, position))
        return source

    programme = Programme(opener)
    programme.set_plan(plan, T0)
    return programme


def position_ms(sample):
    return sample * LONG * 1000


def test_it_joins_mid_track_at_the_timelines_position():
    opened = []
    programme = playing(plan_of(segment("a", 0, 100, offset_ms=2000)), opened=opened)
    heard = render(programme, 30.0, 1.0)
    assert position_ms(heard[RATE // 2]) == pytest.approx(2000 + 30_500, abs=0.05)
    assert opened[0][1] == round(32.3 * RATE), "decoded up to where it will be read"
    assert programme.now_playing.id == "a"
    assert programme.now_playing.position_ms == pytest.approx(32_990, abs=2)
    assert heard[:1200].max() < heard[RATE // 2], "enters with a short fade"


def test_nothing_sounds_before_between_and_after():
    programme = playing(plan_of(segment("a", 1, 2), segment("b", 3, 4)))
    heard = np.abs(render(programme, 0.0, 5.0))
    loud = np.flatnonzero(heard)
    assert loud[0] == RATE + 1, "the first frame of the ramp is zero"
    assert not heard[2 * RATE : 3 * RATE].any()
    assert loud[-1] == 4 * RATE - 1
    assert programme.now_playing.kind == "nothing"


def test_segments_that_meet_are_gapless_to_the_frame():
    whole = plan_of(
        segment("a", 0, 1.5, sha256="x"), segment("b", 1.5, 3, sha256="x", offset_ms=1500), seconds=1
    )
    heard = render(playing(whole), 0.0, 3.0)
    expected = np.arange(3 * RATE) / RATE / LONG
    assert heard == pytest.approx(expected, abs=1e-6)


def test_a_segment_that_is_cut_short_ends_without_a_click():
    programme = playing(plan_of(segment("a", 0, 2, offset_ms=60_000)))
    heard = render(programme, 0.0, 2.5)
    assert np.abs(np.diff(heard[RATE:])).max() < 0.002


def test_a_crossfade_keeps_the_power():
    programme = playing(
        plan_of(segment("a", 0, 12, fade_out_ms=4000), segment("b", 8, 20, fade_in_ms=4000)),
        {"a": Noise(1), "b": Noise(2)},
    )
    heard = render(programme, 6.0, 8.0)
    levels = 20 * np.log10(np.sqrt(np.mean(heard.reshape(-1, RATE // 2) ** 2, axis=1)) / 0.1)
    assert np.abs(levels).max() < 0.3, levels


def test_gain_of_the_asset():
    programme = playing(plan_of(segment("a", 0, 100), gain_db=-6.0))
    heard = render(programme, 50.0, 0.5)
    assert heard[-1] / ((50.5) / LONG) == pytest.approx(10 ** (-6 / 20), rel=1e-3)


@pytest.mark.parametrize("ppm", [-150, 80])
def test_a_wrong_crystal_never_leads_it_more_than_a_millisecond_astray(ppm):
    programme = playing(plan_of(segment("a", 0, 110)))
    heard = render(programme, 10.0, 60.0, ppm=ppm)
    at = np.arange(len(heard))
    true_ms = 10_000 + at * US_PER_FRAME * (1 + ppm * 1e-6) / 1000
    off = position_ms(heard.astype(np.float64))[RATE // 2 :] - true_ms[RATE // 2 :]
    assert np.abs(off).max() < 1.1
    assert np.abs(np.diff(heard[RATE // 2 :])).max() < 3 / RATE / LONG + 1e-6


def test_a_source_that_is_late_enters_at_the_right_position():
    late = Ramp(ready=False)
    programme = playing(plan_of(segment("a", 0, 100)), {"a": late})
    assert not render(programme, 0.0, 1.0).any()
    late.is_ready = True
    heard = render(programme, 1.0, 1.0)
    assert position_ms(heard[RATE // 2]) == pytest.approx(1500, abs=0.05)


def test_a_file_that_arrives_later_is_tried_again():
    here = []
    programme = Programme(lambda sha256, position: Ramp(position) if here else None)
    programme.set_plan(plan_of(segment("a", 0, 100)), T0)
    assert not render(programme, 0.0, 1.5).any()
    here.append(True)
    assert render(programme, 1.5, 1.5)[-1] == pytest.approx(3.0 / LONG, abs=1e-3)


def test_a_new_plan_goes_on_with_what_sounds_or_fades_it_out():
    opened = []
    programme = playing(plan_of(segment("a", 0, 100)), opened=opened)
    render(programme, 0.0, 1.0)
    programme.set_plan(plan_of(segment("a", 0, 100), segment("b", 100, 110)), T0)
    heard = render(programme, 1.0, 1.0)
    assert opened == [("a", 0)], "not opened again"
    assert heard == pytest.approx(np.arange(RATE, 2 * RATE) / RATE / LONG, abs=1e-6)
    programme.set_plan(plan_of(), T0 + 2_000_000)
    heard = render(programme, 2.0, 1.0)
    assert heard[0] > 0
    assert np.abs(np.diff(heard)).max() < 1e-3
    assert not heard[RATE // 2 + BLOCK :].any()


def test_a_plan_that_has_run_out_goes_round_again():
    programme = playing(plan_of(segment("a", 0, 60), hours=1 / 60))
    for rounds in (1, 2, 100):
        heard = render(programme, 60.0 * rounds + 30, 1.0)
        assert position_ms(heard[-1]) == pytest.approx(31_000, abs=0.1)
    heard = render(programme, 10.0, 1.0)
    assert position_ms(heard[-1]) == pytest.approx(11_000, abs=0.1), "the clock was set back"
