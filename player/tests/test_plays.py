"""Which announcement sounds when: the server's own conflict vectors, the late rules, and no overlap whatever comes."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync2gear_player.plan import Silence
from sync2gear_player.plays import (
    ARM_AHEAD_US,
    LEAD_US,
    Disarm,
    FadeOut,
    Finish,
    Missing,
    Play,
    Plays,
    Situation,
    Start,
)

S = 1_000_000
VECTORS = Path(__file__).parents[2] / "backend/schedules/domain/vectors/engine.json"
CASES = [case for case in json.loads(VECTORS.read_text())["cases"] if case["group"] == "conflict"]
EXEMPT = {
    "conflict-019": "a speaker that missed an instant joins or skips: nothing starts late from its beginning",
}


def play(event_id="a", at=100 * S, **fields) -> Play:
    values = {
        "announcement_id": 1,
        "sha256": "f" * 64,
        "play_at": at,
        "expires_at": at + 2 * S,
        "duration_ms": 10_000,
        "priority": "interval",
    }
    return Play(event_id=event_id, **(values | fields))


class Shop:
    """Runs `Plays` in virtual time with an output that does what it is told."""

    def __init__(self, now: int = 0, **situation):
        self.plays, self.now, self.situation = Plays(), now, Situation(now=now, **situation)
        self.sounded: dict[str, list[int]] = {}
        self.offsets: dict[str, int] = {}
        self.outcomes: dict[str, tuple[str, str]] = {}
        self.done: list[str] = []

    def carry_out(self, effects):
        for effect in effects:
            match effect:
                case Start(play=started, at=at, offset_ms=offset_ms):
                    assert started.event_id not in self.sounded, "played twice"
                    assert at < started.expires_at
                    assert at >= self.now
                    end = at + started.duration_us - offset_ms * 1000
                    self.sounded[started.event_id] = [at, end]
                    self.offsets[started.event_id] = offset_ms
                case FadeOut(event_id=key, end_at=end_at):
                    self.sounded[key][1] = min(self.sounded[key][1], end_at)
                case Disarm(event_id=key):
                    assert self.sounded.pop(key)[0] > self.now
                case Finish(play=over, outcome=outcome, error=error):
                    assert over.event_id not in self.outcomes
                    self.outcomes[over.event_id] = (outcome, error)

    def tick(self, now: int | None = None):
        self.now = self.now if now is None else now
        for key, (begin, end) in list(self.sounded.items()):
            if end <= self.now and key not in self.done:
                self.done.append(key)
                self.outcomes[key] = self.plays.ended(key, max(0, end - begin) // 1000)
        self.carry_out(self.plays.tick(replace(self.situation, now=self.now)))

    def run(self, until: int):
        while True:
            self.tick()
            waits = [end for key, (_, end) in self.sounded.items() if key not in self.done]
            wake = self.plays.wake_at(self.now)
            waits += [wake] if wake is not None else []
            later = max(min(waits, default=until), self.now + 1000)
            if later > until:
                self.now = until
                return
            self.now = later

    def offer(self, *plays: Play):
        return [self.plays.offer(each, self.now, trusted=self.situation.trusted) for each in plays]


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case["id"] not in EXEMPT],
    ids=lambda case: f"{case['id']} {case['note']}",
)
def test_it_resolves_conflicts_as_the_server_plans_them(case):
    started = [claim for claim in case["in"]["claims"] if "started_at" in claim]
    shop = Shop(min((claim["started_at"] for claim in started), default=case["in"]["now"]) - 1 * S)
    waiting = []
    for claim in case["in"]["claims"]:
        wanted = play(
            claim["event_id"],
            claim.get("started_at", claim["at"]),
            expires_at=claim["expires_at"] if "started_at" not in claim else claim["started_at"] + 2 * S,
            duration_ms=claim["duration_us"] // 1000,
            priority=claim["priority"],
        )
        (shop.offer(wanted) if "started_at" in claim else waiting.append(wanted))
    shop.run(max((claim["started_at"] for claim in started), default=shop.now))
    # What comes with `now` is known a second before its instant, as every order is.
    for wanted in waiting:
        soon = wanted.play_at <= case["in"]["now"] and wanted.expires_at > case["in"]["now"]
        shop.offer(replace(wanted, late="join", pushed=True) if soon else wanted)
    shop.run(300 * S)
    heard = sorted([key, *span] for key, span in shop.sounded.items() if span[1] > span[0])
    lost = {key for key, (outcome, _) in shop.outcomes.items() if outcome.startswith("skipped")}
    assert heard == sorted([key, begin, end] for key, begin, end, _ in case["expect"]["plays"])
    cut = {key for key, _, _, by in case["expect"]["plays"] if by}
    assert lost == {key for key, *_ in case["expect"]["losers"]} - cut
    assert {key for key, (outcome, _) in shop.outcomes.items() if outcome == "partial"} == cut


def test_the_server_has_conflict_vectors():
    assert len(CASES) >= 20
    assert set(EXEMPT) <= {case["id"] for case in CASES}


@pytest.mark.parametrize(
    ("note", "wanted", "told_at", "heard", "outcome"),
    [
        ("in time", {}, 90 * S, [100 * S, 110 * S], "played"),
        ("just in time", {}, 100 * S - LEAD_US, [100 * S, 110 * S], "played"),
        ("too late to start, skip", {}, 100 * S - LEAD_US + 1, None, "skipped_late"),
        ("late, skip", {}, 101 * S, None, "skipped_late"),
        ("expired", {}, 102 * S, None, "skipped_late"),
        ("expired, join", {"late": "join"}, 102 * S, None, "skipped_late"),
        ("late, join", {"late": "join"}, 101 * S, [101 * S + LEAD_US, 110 * S], "partial"),
        ("joined at once", {"late": "join"}, 100 * S - LEAD_US + 9_000, [100 * S + 9_000, 110 * S], "played"),
        (
            "join, but over",
            {"late": "join", "duration_ms": 500, "expires_at": 160 * S},
            101 * S,
            None,
            "skipped_late",
        ),
    ],
)
def test_late(note, wanted, told_at, heard, outcome):
    shop = Shop(told_at)
    shop.offer(play(**wanted))
    shop.run(200 * S)
    assert shop.sounded.get("a") == heard, note
    assert shop.outcomes["a"][0] == outcome
    if heard and heard[0] > 100 * S:
        assert shop.offsets["a"] == (heard[0] - 100 * S) // 1000, "enters where the others are"


QUIET = (Silence(start_at=50 * S, end_at=150 * S, reason="quiet_hours"),)
STOPPED = (Silence(start_at=50 * S, end_at=150 * S, reason="stopped"),)
LOCKED = (Silence(start_at=50 * S, end_at=150 * S, reason="client_locked"),)


@pytest.mark.parametrize(
    ("silences", "silenced", "fields", "outcome"),
    [
        (QUIET, False, {}, "skipped_quiet"),
        (QUIET, False, {"priority": "instant"}, "skipped_quiet"),
        (QUIET, False, {"priority": "instant", "overrides_quiet_hours": True}, "played"),
        (QUIET, False, {"priority": "emergency"}, "played"),
        (QUIET, False, {"play_at": 150 * S, "expires_at": 152 * S}, "played"),
        (STOPPED, False, {"priority": "instant", "overrides_quiet_hours": True}, "skipped_quiet"),
        (STOPPED, False, {"priority": "emergency"}, "played"),
        (LOCKED, False, {"priority": "instant", "overrides_quiet_hours": True}, "skipped_quiet"),
        ((), True, {"priority": "instant", "overrides_quiet_hours": True}, "skipped_quiet"),
        ((), True, {"priority": "emergency"}, "played"),
        ((), False, {}, "played"),
    ],
)
def test_silences(silences, silenced, fields, outcome):
    shop = Shop(90 * S, silences=silences, silenced=silenced)
    shop.offer(play(**fields))
    shop.run(300 * S)
    assert shop.outcomes["a"][0] == outcome


def test_one_event_is_one_play_however_often_it_comes():
    shop = Shop(90 * S)
    wanted = play(pushed=True)
    assert shop.offer(*[wanted] * 5) == ["armed"] + ["duplicate"] * 4
    shop.plays.replace_planned([play()], since=shop.now, now=shop.now)
    shop.run(100 * S)
    assert shop.offer(wanted) == ["duplicate"], "armed already"
    shop.plays.replace_planned([play()], since=shop.now, now=shop.now)
    shop.run(200 * S)
    assert shop.outcomes == {"a": ("played", "")}


def test_a_new_plan_drops_what_it_does_not_name_but_never_a_push():
    shop = Shop(90 * S)
    shop.offer(play("pushed", pushed=True))
    shop.plays.replace_planned([play("old", 120 * S)], since=shop.now, now=shop.now)
    shop.plays.replace_planned([play("new", 120 * S), play("past", 10 * S)], since=shop.now, now=shop.now)
    shop.run(200 * S)
    assert set(shop.sounded) == {"pushed", "new"}
    assert set(shop.outcomes) == {"pushed", "new"}, "what was over before it was known is not ours to tell"


def test_cancel_before_its_start_while_armed_and_while_it_sounds():
    shop = Shop(90 * S)
    shop.offer(play("waiting"), play("armed", 120 * S), play("sounding", 140 * S), play("unknown", 160 * S))
    shop.carry_out(shop.plays.cancel("waiting", shop.now))
    shop.run(120 * S - ARM_AHEAD_US + 1000)
    shop.carry_out(shop.plays.cancel("armed", shop.now))
    shop.run(145 * S)
    shop.carry_out(shop.plays.cancel("sounding", shop.now))
    shop.carry_out(shop.plays.cancel("sounding", shop.now))
    del shop.plays.pending["unknown"]
    shop.carry_out(shop.plays.cancel("unknown", shop.now))
    shop.offer(play("unknown", 160 * S))
    shop.run(200 * S)
    assert shop.outcomes == {
        "waiting": ("skipped_cancelled", ""),
        "armed": ("skipped_cancelled", "cancelled"),
        "sounding": ("partial", "cancelled"),
        "unknown": ("skipped_cancelled", ""),
    }
    assert list(shop.sounded) == ["sounding"]
    assert shop.sounded["sounding"][1] - 145 * S <= 500_000, "silent within half a second"


def test_without_a_clock_nothing_is_judged_until_it_is_trusted():
    shop = Shop(90 * S, trusted=False)
    shop.offer(play("passed"), play("due", 150 * S))
    shop.run(120 * S)
    assert (shop.sounded, shop.outcomes) == ({}, {})
    shop.situation = replace(shop.situation, trusted=True)
    shop.run(200 * S)
    assert shop.outcomes["passed"] == ("skipped_clock", "the clock was not synchronised")
    assert shop.outcomes["due"][0] == "played"


@pytest.mark.parametrize(
    ("missing", "outcome"),
    [
        (Missing(), "failed_fetch"),
        (Missing("failed_fetch", "the server answered 500"), "failed_fetch"),
        (Missing("failed_decode", "no sound in the file"), "failed_decode"),
    ],
)
def test_audio_that_is_not_there(missing, outcome):
    shop = Shop(90 * S, missing={"f" * 64: missing})
    shop.offer(play())
    shop.run(200 * S)
    assert shop.outcomes["a"] == (outcome, missing.why)


def test_what_has_no_audio_holds_up_nobody():
    shop = Shop(90 * S, missing={"0" * 64: Missing()})
    shop.offer(play("mute", 99 * S, sha256="0" * 64, priority="timeline", expires_at=160 * S), play("ready"))
    shop.run(200 * S)
    assert shop.sounded == {"ready": [100 * S, 110 * S]}
    assert shop.outcomes["mute"][0] == "failed_fetch"


def test_audio_that_comes_at_the_last_moment_is_in_time():
    shop = Shop(90 * S, missing={"f" * 64: Missing()})
    shop.offer(play())
    shop.run(100 * S - LEAD_US - 60_000)
    shop.situation = replace(shop.situation, missing={})
    shop.run(200 * S)
    assert shop.sounded["a"][0] == 100 * S


PRIORITIES = st.sampled_from(["emergency", "instant", "timeline", "interval", "playlist"])


@settings(max_examples=80, deadline=None)
@given(
    wanted=st.lists(
        st.tuples(
            st.integers(0, 120),
            st.integers(1, 30),
            st.integers(1, 60),
            PRIORITIES,
            st.sampled_from(["skip", "join"]),
            st.integers(0, 100),
        ),
        max_size=8,
    ),
    cancels=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 150)), max_size=3),
)
def test_never_two_at_once_never_late_and_always_an_outcome(wanted, cancels):
    shop = Shop(0)
    events = [(told, "offer", n) for n, (*_, told) in enumerate(wanted)]
    events += [(at, "cancel", n) for n, at in cancels]
    plays = [
        play(
            str(n),
            at * S,
            duration_ms=length * 1000,
            expires_at=(at + patience) * S,
            priority=priority,
            late=late,
        )
        for n, (at, length, patience, priority, late, _) in enumerate(wanted)
    ]
    for at, kind, n in sorted(events):
        shop.run(at * S)
        if kind == "offer":
            shop.offer(plays[n])
        else:
            shop.carry_out(shop.plays.cancel(str(n), shop.now))
    shop.run(10_000 * S)
    spans = sorted(span for span in shop.sounded.values() if span[1] > span[0])
    for (_, end), (begin, _) in pairwise(spans):
        assert begin >= end, (spans, plays)
    assert {key for key in shop.outcomes} == {each.event_id for each in plays}
