"""The session's rules: what each frame leads to. Whatever arrives, nothing is raised."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devices import protocol
from devices.domain.session import DeviceSession, Reply, Report, Shut, Welcomed
from devices.protocol import CloseCode

NOW_US = 1_700_000_000_000_000
EVENT = "00000000-0000-5000-8000-000000000001"
HELLO = {"type": "hello", "boot_id": "b1", "capabilities": [protocol.MUSIC_REPORTS]}
STRETCH = {
    "report_id": EVENT,
    "segment_id": "music-1-2",
    "music_id": 1,
    "started_at": NOW_US,
    "ended_at": NOW_US,
    "played_ms": 0,
}


def opened(*, plain: bool = False, greeted: bool = False) -> DeviceSession:
    session = DeviceSession.opened(plain=plain, now_us=NOW_US)
    if greeted:
        session.received(json.dumps(HELLO), now_us=NOW_US)
    return session


def said(session: DeviceSession, frame):
    """The effects of one frame; what is not text or None is sent as JSON."""
    text = frame if isinstance(frame, str | bytes | None) else json.dumps(frame)
    return session.received(text, now_us=NOW_US)


BIG = json.dumps({"type": "goodbye", "pad": "x" * protocol.MAX_MESSAGE_BYTES})


@pytest.mark.parametrize(
    ("frame", "close_code", "code"),
    [
        (None, CloseCode.MALFORMED, "malformed"),
        ("", CloseCode.MALFORMED, "malformed"),
        ("not json", CloseCode.MALFORMED, "malformed"),
        ('{"type":"ack"', CloseCode.MALFORMED, "malformed"),
        ("[]", CloseCode.MALFORMED, "malformed"),
        ("7", CloseCode.MALFORMED, "malformed"),
        ("null", CloseCode.MALFORMED, "malformed"),
        ("{}", CloseCode.MALFORMED, "malformed"),
        ('{"type":5}', CloseCode.MALFORMED, "malformed"),
        ('{"type":"goodbye","reason":"\\ud800"}', CloseCode.MALFORMED, "malformed"),
        ("[" * 60_000, CloseCode.MALFORMED, "malformed"),
        ('{"type":"goodbye","x":' + "[" * 60_000, CloseCode.MALFORMED, "malformed"),
        (BIG, CloseCode.RATE, "too_large"),
        ('{"type":"goodbye","x":"' + "é" * 40_000 + '"}', CloseCode.RATE, "too_large"),
    ],
)
@pytest.mark.parametrize("greeted", [False, True])
def test_what_closes(frame, close_code, code, greeted):
    session = opened(greeted=greeted)
    [effect] = said(session, frame)
    assert isinstance(effect, Shut)
    assert (effect.close_code, effect.code) == (close_code, code)
    assert said(session, HELLO) == [], "nothing is heard after the close"


@pytest.mark.parametrize(
    ("frame", "code", "re"),
    [
        ({"type": "dance", "id": "m1"}, "unknown_type", "m1"),
        ({"type": "dance"}, "unknown_type", None),
        ({"type": "dance", "id": 7}, "unknown_type", None),
        ({"type": "dance", "id": "x" * 500}, "unknown_type", "x" * 64),
        ({"type": "welcome", "id": "m1"}, "unknown_type", "m1"),
        ({"type": "ack", "id": "m1", "event_id": "short", "state": "armed"}, "bad_message", "m1"),
        ({"type": "ack", "id": "m1", "event_id": EVENT, "state": "perhaps"}, "bad_message", "m1"),
        ({"type": "ack", "id": "m1"}, "bad_message", "m1"),
        ({"type": "status_update", "id": "m1", "volume": 101}, "bad_message", "m1"),
        ({"type": "status_update", "id": "m1", "volume": "loud"}, "bad_message", "m1"),
        ({"type": "status_update", "id": "m1", "applied_rev": 2**63}, "bad_message", "m1"),
        ({"type": "time_probe", "id": "m1", "n": 1, "t1": 10**30}, "bad_message", "m1"),
        ({"type": "goodbye", "reason": "a\0b"}, "bad_message", None),
        ({"type": "hello", "id": "m1"}, "bad_message", "m1"),
        ({"type": "music_played", "id": "m1"}, "bad_message", "m1"),
        ({"type": "music_played", "id": "m1", "stretches": []}, "bad_message", "m1"),
        ({"type": "music_played", "id": "m1", "stretches": [STRETCH] * 201}, "bad_message", "m1"),
        (
            {"type": "music_played", "id": "m1", "stretches": [STRETCH | {"report_id": "x" * 36}]},
            "bad_message",
            "m1",
        ),
        (
            {"type": "music_played", "id": "m1", "stretches": [STRETCH | {"music_id": -1}]},
            "bad_message",
            "m1",
        ),
        (
            {"type": "music_played", "id": "m1", "stretches": [STRETCH | {"segment_id": ""}]},
            "bad_message",
            "m1",
        ),
    ],
)
def test_what_costs_an_error_and_no_more(frame, code, re):
    session = opened(greeted=True)
    [effect] = said(session, frame)
    assert isinstance(effect, Reply)
    assert (effect.message.code, effect.message.re) == (code, re)
    protocol.encode(effect.message)
    assert isinstance(said(session, {"type": "goodbye"})[0], Report), "the session goes on"


@pytest.mark.parametrize(
    "hello",
    [
        {"type": "hello"},
        {"type": "hello", "boot_id": ""},
        {"type": "hello", "boot_id": "x" * 65},
        {"type": "hello", "boot_id": "b", "required_lead_ms": -1},
        {"type": "hello", "boot_id": "b", "clock": {"state": "sundial"}},
        {"type": "hello", "boot_id": "b", "capabilities": ["x"] * 65},
    ],
)
def test_a_hello_that_cannot_be_used_closes(hello):
    [effect] = said(opened(), hello)
    assert isinstance(effect, Shut)
    assert effect.close_code == CloseCode.MALFORMED


REPORTS = [
    {"type": "ack", "event_id": EVENT, "state": "armed"},
    {"type": "status_update", "status": "online"},
    {"type": "playback_started", "event_id": EVENT, "started_at": NOW_US},
    {"type": "playback_complete", "event_id": EVENT},
    {"type": "music_played", "stretches": [STRETCH] * 200},
    {"type": "command_result", "command_id": "c", "ok": True},
    {"type": "goodbye"},
]


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report["type"])
def test_reports_need_a_hello(report):
    session = opened()
    [refused] = said(session, report)
    assert isinstance(refused, Reply)
    assert refused.message.code == "hello_first"
    assert isinstance(said(session, HELLO)[0], Welcomed)
    assert isinstance(said(session, report)[0], Report)


@pytest.mark.parametrize("plain", [False, True])
def test_music_is_reported_only_by_who_announced_it(plain):
    session = opened(plain=plain)
    said(session, HELLO | {"capabilities": ["opus"]})
    effects = said(session, {"type": "music_played", "id": "m1", "stretches": [STRETCH]})
    assert [(each.message.code, each.message.re) for each in effects] == (
        [] if plain else [("unexpected", "m1")]
    )


def test_hello_is_said_once():
    session = opened(greeted=True)
    [effect] = said(session, HELLO)
    assert isinstance(effect, Reply)
    assert effect.message.code == "unexpected"


def test_unknown_fields_are_ignored():
    [effect] = said(opened(), HELLO | {"shoe_size": 43})
    assert isinstance(effect, Welcomed)


@pytest.mark.parametrize("greeted", [False, True])
def test_a_probe_is_answered_with_or_without_a_hello(greeted):
    [effect] = said(opened(greeted=greeted), {"type": "time_probe", "id": "p", "n": 3, "t1": -5})
    reply = effect.message
    assert (reply.n, reply.t1, reply.t2, reply.re) == (3, -5, NOW_US, "p")


@pytest.mark.parametrize("greeted", [False, True])
def test_hello_overdue(greeted):
    session = opened(greeted=greeted)
    codes = [effect.close_code for effect in session.hello_overdue()]
    assert codes == ([] if greeted else [CloseCode.NO_HELLO])
    assert session.hello_overdue() == [], "said once"


def test_a_plain_device_has_no_hello_to_be_late_with():
    assert opened(plain=True).hello_overdue() == []


@pytest.mark.parametrize(
    "frame",
    [
        HELLO,
        {"type": "dance"},
        {"type": "status_update", "volume": 101},
        {"type": "time_probe", "n": 1, "t1": 1},
    ],
)
def test_a_plain_device_is_answered_nothing(frame):
    assert said(opened(plain=True), frame) == []


def test_a_plain_device_reports_in_the_briefs_words():
    session = opened(plain=True)
    [effect] = said(session, {"type": "playback_complete", "announcement_id": 7})
    assert isinstance(effect, Report)
    assert (effect.message.announcement_id, effect.message.event_id) == (7, None)
    [effect] = said(session, {"type": "status_update", "status": "online"})
    assert isinstance(effect, Report)


def test_a_flood_closes_at_the_first_message_beyond_the_burst():
    session = opened(greeted=True)
    effects = [said(session, {"type": "goodbye"}) for _ in range(protocol.MESSAGE_BURST)]
    assert [len(each) for each in effects] == [1] * protocol.MESSAGE_BURST
    assert isinstance(effects[-2][0], Report)
    assert isinstance(effects[-1][0], Shut), "the hello was the first of the burst"
    assert effects[-1][0].close_code == CloseCode.RATE


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
NAMES = st.sampled_from(
    sorted({name for each in protocol.Inbound.__args__ for name in each.__struct_fields__})
)
TYPES = st.sampled_from(
    [*(each.__struct_config__.tag for each in protocol.Inbound.__args__), "welcome", "x", 5, None]
)
MESSAGES = st.builds(
    lambda kind, fields: json.dumps(fields | {"type": kind}), TYPES, st.dictionaries(NAMES, JSON, max_size=6)
)
FRAMES = st.none() | st.text() | st.binary() | MESSAGES | JSON.map(json.dumps)


@settings(max_examples=300, deadline=None)
@given(st.booleans(), st.lists(FRAMES, max_size=12))
@example(False, ['{"type":"time_probe","n":1,"t1":' + "9" * 5000 + "}"])
@example(True, ['{"type":"time_probe","n":1e999,"t1":1}', "\ud800"])
def test_whatever_arrives_nothing_is_raised_and_every_answer_can_be_sent(plain, frames):
    session = opened(plain=plain)
    shut = False
    for frame in frames:
        effects = session.received(frame, now_us=NOW_US)
        assert not (shut and effects), "silent after the close"
        for effect in effects:
            if isinstance(effect, Reply):
                protocol.encode(effect.message)
            shut = shut or isinstance(effect, Shut)
            assert not (isinstance(effect, Report | Welcomed) and not session.greeted)
        assert session.closed == shut
