"""Both sides' messages against the protocol's own definition."""

from __future__ import annotations

import dataclasses
import json
import uuid

import msgspec
import pytest

from devices import plan as plan_truth
from devices import protocol
from sync2gear_player import messages as m
from sync2gear_player import plan

EVENT = str(uuid.UUID(int=1))
CLOCK = m.ClockReport(state="synced", error_us=400, drift_ppb=-1200, round_trip_us=700)

OUTGOING = [
    m.Hello(
        boot_id="b",
        software="s",
        capabilities=("sync",),
        plan_etag="e",
        applied_rev=3,
        clock=m.ClockReport(state="unsynced"),
        required_lead_ms=500,
        output_delay_ms=20,
    ),
    m.TimeProbe(n=1, t1=-5),
    m.Ack(event_id=EVENT, state="armed"),
    m.Ack(event_id=EVENT, state="cannot", reason="failed_fetch"),
    m.StatusUpdate(
        volume=50,
        muted=False,
        now_playing=m.NowPlaying("music", "seg", 12),
        applied_rev=1,
        clock=CLOCK,
        buffer_ms=80,
        underruns=0,
        cache_bytes=1,
        receipts_pending=2,
    ),
    m.PlaybackStarted(event_id=EVENT, started_at=1),
    m.Receipt(event_id=EVENT, announcement_id=1, outcome="skipped_late"),
    m.Receipt(
        event_id=EVENT,
        announcement_id=1,
        outcome="played",
        started_at=1,
        ended_at=2,
        start_error_us=-3,
        played_ms=4,
    ),
    m.MusicPlayed(
        stretches=(
            m.MusicStretch(
                report_id=EVENT, segment_id="s", music_id=1, started_at=2, ended_at=3, played_ms=4
            ),
        )
    ),
    m.CommandResult(command_id="c", ok=False, error="why"),
    m.Goodbye(reason="stopped"),
]

SERVER = [
    protocol.Welcome(session="s", desired=protocol.Desired(rev=2, volume=30), plan_etag="e", plan_url="/p"),
    protocol.TimeReply(n=1, t1=-2, t2=3, t3=4),
    protocol.PlayAnnouncement(
        announcement_id=1,
        audio_url="/a",
        volume=2,
        event_id=EVENT,
        play_at=3,
        expires_at=4,
        sha256="f",
        bytes=5,
        mime="audio/mpeg",
        duration_ms=6,
        gain_db=-1,
    ),
    protocol.CancelAnnouncement(event_id=EVENT),
    protocol.PlanChanged(etag="x"),
    protocol.SetDesired(rev=1, volume=2, muted=True, output_delay_ms=3, silenced=True),
    protocol.Control(command_id="c", action="identify", expires_at=9),
    protocol.TestTone(command_id="c", hz=440, ms=100),
    protocol.ReceiptAck(event_ids=[EVENT], report_ids=[EVENT]),
    protocol.Reconnect(after_ms=5),
    protocol.Error(code="rate", detail="too fast", re="1"),
]

UNUSED = {"id", "ts", "re"}
NOT_NEEDED = {
    plan.Plan: {"generated_at"},
    plan.Segment: {"playlist_id", "title", "artist"},
    plan.Occurrence: {"schedule_id", "title"},
    m.PlayAnnouncement: {"title"},
}
"""Fields that are for people's eyes."""


@pytest.mark.parametrize("message", OUTGOING, ids=lambda each: each.type)
def test_the_protocol_accepts_what_the_speaker_sends(message):
    decoded = protocol.decode_inbound(m.encode(message, ts=77))
    assert decoded.ts == 77
    assert len(decoded.id) == 32
    sent = json.loads(json.dumps(dataclasses.asdict(message)))
    received = msgspec.to_builtins(decoded)
    for name, value in sent.items():
        assert received[name] == value, name


def test_every_outgoing_type_is_tried():
    assert {message.type for message in OUTGOING} == {
        cls.__struct_config__.tag for cls in protocol.Inbound.__args__
    }


@pytest.mark.parametrize("message", SERVER, ids=lambda each: each.__struct_config__.tag)
def test_the_speaker_understands_what_the_protocol_sends(message):
    understood = m.decode(protocol.encode(message))
    assert type(understood) is m.INCOMING[message.__struct_config__.tag]
    theirs = msgspec.to_builtins(message)
    ours = json.loads(json.dumps(dataclasses.asdict(understood)))
    for name in set(ours) - UNUSED:
        assert ours[name] == theirs[name], name


def test_no_field_of_the_protocol_is_overlooked():
    for tag, cls in m.INCOMING.items():
        (theirs,) = [each for each in protocol.Outbound.__args__ if each.__struct_config__.tag == tag]
        ours = {field.name for field in dataclasses.fields(cls)}
        needed = set(theirs.__struct_fields__) - UNUSED - NOT_NEEDED.get(cls, set())
        assert needed == ours - UNUSED, tag
    assert set(m.INCOMING) == {cls.__struct_config__.tag for cls in protocol.Outbound.__args__}
    for name in ("Asset", "Segment", "Occurrence", "Silence", "Plan"):
        cls = getattr(plan, name)
        ours = {field.name for field in dataclasses.fields(cls)}
        assert set(getattr(plan_truth, name).__struct_fields__) - NOT_NEEDED.get(cls, set()) == ours, name


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        ("", "not JSON"),
        ("[]", "not an object"),
        ("{}", "unknown type"),
        ('{"type": "sing"}', "unknown type 'sing'"),
        ('{"type": ["welcome"]}', "unknown type"),
        ('{"type": "reconnect"}', "after_ms: missing"),
        ('{"type": "reconnect", "after_ms": "5"}', "after_ms: expected int"),
        ('{"type": "reconnect", "after_ms": true}', "after_ms: expected int"),
        ('{"type": "receipt_ack", "event_ids": [1]}', "event_ids[0]: expected str"),
        ('{"type": "control", "command_id": "c", "action": "dance", "expires_at": 1}', "'dance' is none of"),
        ('{"type": "welcome", "session": "s", "desired": 5}', "desired: expected an object"),
    ],
)
def test_junk_is_told_not_raised(frame, why):
    message = m.decode(frame)
    assert isinstance(message, m.Junk)
    assert why in message.why


def test_unknown_fields_are_ignored():
    assert m.decode('{"type": "reconnect", "after_ms": 5, "new": {"a": 1}}') == m.Reconnect(after_ms=5)
