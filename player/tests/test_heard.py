"""Which music was heard: noticed at the output, kept in the journal, handed in until it is acknowledged."""

from __future__ import annotations

import sqlite3
import uuid
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import protocol
from sync2gear_player.heard import BREAK_US, TOLD_EVERY_US, Ears
from sync2gear_player.journal import KEEP_STRETCHES, Journal
from sync2gear_player.messages import MusicPlayed, MusicStretch, TimeProbe, encode
from sync2gear_player.mixer import RATE, US_PER_FRAME
from sync2gear_player.mixer.graph import Levels, Mixer
from sync2gear_player.mixer.timeline import Timeline
from sync2gear_player.mixer.voices import Clip
from sync2gear_player.plan import Segment, Silence
from sync2gear_player.session import RECEIPT_REPEAT_US, STRETCHES_A_MESSAGE

from .test_programme import BLOCK, T0, Ramp, plan_of, playing, segment
from .test_session import S, run, welcomed

BLOCK_US = 10_000


def track(name: str, music_id: int | None = 1) -> Segment:
    return Segment(id=name, kind="music", sha256=name, start_at=0, end_at=1, music_id=music_id)


def hear(spans, *, seconds, ears=None):
    """What ears tell that hear each track during these spans: (name, begin s, end s)."""
    ears, told = ears or Ears(), []
    for at in range(0, seconds * S, BLOCK_US):
        sounding = [track(name) for name, begin, end in spans if begin * S <= at < end * S]
        told += ears.block(sounding, at, at + BLOCK_US, BLOCK)
    return told + ears.stop()


def spans(told):
    return [
        (each.segment_id, each.began_us / S, each.ended_us / S, each.played_ms) for each in told if each.over
    ]


@pytest.mark.parametrize(
    ("sounding", "expected"),
    [
        ([], []),
        ([("a", 1, 3)], [("a", 1, 3, 2000)]),
        ([("a", 0, 9)], [("a", 0, 9, 9000)]),
        ([("a", 1, 4), ("b", 3, 6)], [("a", 1, 4, 3000), ("b", 3, 6, 3000)]),
        ([("a", 1, 2), ("a", 2.9, 4)], [("a", 1, 4, 2100)]),
        ([("a", 1, 2), ("a", 3.1, 4)], [("a", 1, 2, 1000), ("a", 3.1, 4, 900)]),
    ],
    ids=["nothing", "one", "to the end", "a crossfade", "a short gap", "a break"],
)
def test_stretches(sounding, expected):
    told = hear(sounding, seconds=9)
    assert spans(told) == expected
    assert len({each.report_id for each in told}) == len(expected)


def test_what_lasts_is_told_every_minute_under_one_name():
    told = hear([("a", 0, 200)], seconds=210)
    assert [(round(each.ended_us / S), each.over) for each in told] == [
        (60, False),
        (120, False),
        (180, False),
        (200, True),
    ]
    assert len({each.report_id for each in told}) == 1
    assert TOLD_EVERY_US == 60 * S


def test_a_segment_without_a_track_is_not_told():
    ears = Ears()
    ears.block([track("a", None)], 0, BLOCK_US, BLOCK)
    assert ears.stop() == []


@given(st.lists(st.booleans(), max_size=600))
def test_every_frame_that_sounded_is_told_once(blocks):
    ears, told = Ears(), []
    for number, sounds in enumerate(blocks):
        begin = number * BLOCK_US
        told += ears.block([track("a")] if sounds else [], begin, begin + BLOCK_US, BLOCK)
    told += ears.stop()
    assert sum(each.played_ms for each in told) == 10 * sum(blocks)
    for earlier, later in pairwise(told):
        assert later.began_us - earlier.ended_us >= BREAK_US


# --- what sounds, and what is heard of it ---


def seconds_heard(plan, *, levels=Levels(), clips=(), seconds=10):  # noqa: B008  # frozen
    """How long each segment of a plan is heard in the first seconds, through the whole mixer."""
    programme = playing(plan)
    mixer, ears, told = Mixer(programme), Ears(), []
    mixer.levels = levels
    for clip in clips:
        mixer.add(clip)
    for frame in range(0, seconds * RATE, BLOCK):
        begin = T0 + frame * US_PER_FRAME
        mixer.render(Timeline(frame, begin, US_PER_FRAME), BLOCK)
        sounding = programme.sounding.values() if mixer.music_heard else ()
        told += ears.block(sounding, begin, begin + BLOCK_US, BLOCK)
    return {each.segment_id: each.played_ms / 1000 for each in told + ears.stop()}


@pytest.mark.parametrize(
    ("levels", "seconds"),
    [
        ({}, 10.0),
        ({"volume": 1}, 10.0),
        ({"volume": 0}, 0.0),
        ({"muted": True}, 0.0),
        ({"music_off": True}, 0.0),
        ({"silenced": True}, 0.0),
    ],
    ids=str,
)
def test_what_is_turned_off_is_not_heard(levels, seconds):
    heard = seconds_heard(plan_of(segment("a", 0, 100, music_id=1)), levels=Levels(**levels))
    assert sum(heard.values()) == pytest.approx(seconds, abs=0.05)


def test_ducked_music_is_heard():
    words = Clip(
        key="e", kind="announcement", pcm=np.zeros((3 * RATE, 2), dtype=np.int16), start_at=T0 + 2 * S
    )
    heard = seconds_heard(plan_of(segment("a", 0, 100, music_id=1)), clips=[words])
    assert heard == {"a": pytest.approx(10.0, abs=0.05)}


def test_a_silence_of_the_plan_is_not_heard():
    quiet = Silence(start_at=T0 + 4 * S, end_at=T0 + 100 * S, reason="quiet_hours")
    plan = replace(plan_of(segment("a", 0, 100, music_id=1)), silences=(quiet,))
    assert seconds_heard(plan) == {"a": pytest.approx(4.0, abs=0.05)}


def test_in_a_crossfade_both_are_heard():
    plan = plan_of(
        segment("a", 0, 5, music_id=1, fade_out_ms=2000), segment("b", 3, 20, music_id=2, fade_in_ms=2000)
    )
    assert seconds_heard(plan) == {"a": pytest.approx(5.0, abs=0.05), "b": pytest.approx(7.0, abs=0.05)}


def test_a_segment_whose_end_is_moved_is_heard_once():
    programme = playing(plan_of(segment("a", 0, 100, music_id=1)))
    programme.render(Timeline(0, T0, US_PER_FRAME), BLOCK)
    programme.set_plan(plan_of(segment("a", 0, 90, music_id=1)), T0 + BLOCK_US)
    programme.render(Timeline(BLOCK, T0 + BLOCK_US, US_PER_FRAME), BLOCK)
    assert list(programme.sounding) == ["a"]


def test_a_decoder_that_is_behind_is_not_heard():
    class Behind(Ramp):
        def read(self, position, frames):
            self.starved_frames += frames
            return super().read(position, frames) * 0

    programme = playing(plan_of(segment("a", 0, 100, music_id=1)), {"a": Behind()})
    programme.render(Timeline(0, T0, US_PER_FRAME), BLOCK)
    assert programme.now_playing.id == "a"
    assert programme.sounding == {}


# --- the journal ---


def stretch(n: int = 1, *, began: int = 100, length: int = 50) -> MusicStretch:
    return MusicStretch(
        report_id=str(uuid.UUID(int=n)),
        segment_id="music-1-100",
        music_id=1,
        started_at=began * S,
        ended_at=(began + length) * S,
        played_ms=length * 1000,
    )


def test_what_is_over_is_owed_until_it_is_acknowledged(tmp_path):
    journal = Journal(tmp_path / "j.db")
    journal.keep_music(stretch(1, length=60), over=False)
    journal.keep_music(stretch(2), over=True)
    journal.keep_music(stretch(1, length=70), over=False)
    assert journal.owed_music(9) == [stretch(2)]
    journal.keep_music(stretch(1, length=90), over=True)
    assert journal.owed_music(9) == [stretch(1, length=90), stretch(2)]
    assert journal.owed_music(1) == [stretch(1, length=90)]
    journal.acknowledge_music([stretch(1).report_id, "unknown"])
    assert journal.owed_music(9) == [stretch(2)]


def test_after_a_crash_the_last_kept_is_reported(tmp_path):
    journal = Journal(tmp_path / "j.db")
    journal.keep_music(stretch(length=60), over=False)
    again = Journal(tmp_path / "j.db")  # the first was never closed
    again.recover_music("boot")
    assert again.owed_music(9) == [stretch(length=60)]


def test_what_could_not_be_dated_waits_until_it_can(tmp_path):
    journal = Journal(tmp_path / "j.db")
    journal.keep_music(stretch(1, began=3), over=False, began_us=7 * S, undated_in="boot")
    journal.keep_music(stretch(1, began=3, length=60), over=True, began_us=7 * S, undated_in="boot")
    journal.recover_music("boot")
    assert journal.owed_music(9) == []
    journal.date_music(lambda us: us + 1000 * S)
    assert journal.owed_music(9) == [stretch(1, began=1007, length=60)]
    journal.date_music(lambda us: us + 5000 * S)
    assert journal.owed_music(9) == [stretch(1, began=1007, length=60)], "dated once"


def test_another_boot_cannot_date_it_better(tmp_path):
    journal = Journal(tmp_path / "j.db")
    journal.keep_music(stretch(began=3), over=True, began_us=7 * S, undated_in="earlier boot")
    journal.recover_music("boot")
    journal.date_music(lambda us: us + 1000 * S)
    assert journal.owed_music(9) == [stretch(began=3)]


def test_a_journal_of_an_earlier_version_learns_of_music(tmp_path):
    Journal(tmp_path / "j.db").close()
    with sqlite3.connect(tmp_path / "j.db") as db:
        db.execute("DROP TABLE music")
    db.close()
    journal = Journal(tmp_path / "j.db")
    journal.keep_music(stretch(), over=True)
    assert journal.owed_music(9) == [stretch()]


def test_the_oldest_goes_when_nobody_ever_asks(tmp_path, monkeypatch):
    monkeypatch.setattr("sync2gear_player.journal.KEEP_STRETCHES", 3)
    journal = Journal(tmp_path / "j.db")
    assert journal.prune_music() == 0
    for n in range(5):
        journal.keep_music(stretch(n), over=True)
    assert journal.prune_music() == 2
    assert [each.report_id[-1] for each in journal.owed_music(9)] == ["2", "3", "4"]
    assert KEEP_STRETCHES >= 30 * 24 * 20 * 2, "a month of three-minute tracks, twice"


# --- the session ---


def sent_music(session, until, begin=0):
    return [(at, message) for at, message in run(session, until, begin) if isinstance(message, MusicPlayed)]


def test_music_is_repeated_until_it_is_acknowledged_and_queued_once():
    session = welcomed()
    session.owe_music([stretch(1), stretch(2)])
    sent = sent_music(session, 5 * S)
    session.owe_music([stretch(1), stretch(3)])
    sent += sent_music(session, 18 * S, 5 * S)
    assert [[int(each.report_id[-1]) for each in message.stretches] for _, message in sent] == [
        [1, 2],
        [3],
        [1, 2],
    ]
    assert sent[2][0] == pytest.approx(RECEIPT_REPEAT_US, abs=1000)
    ack = protocol.ReceiptAck(report_ids=[stretch(n).report_id for n in (1, 3)])
    session.received(protocol.encode(ack), 18 * S)
    again = sent_music(session, 40 * S, 18 * S)
    assert {each.report_id for _, message in again for each in message.stretches} == {stretch(2).report_id}


def test_a_month_offline_goes_out_in_messages_that_the_server_takes():
    session = welcomed()
    session.owe_music([stretch(n) for n in range(450)])
    sent = sent_music(session, 5 * S)
    assert [len(message.stretches) for _, message in sent] == [100, 100, 100, 100, 50]
    longest = MusicStretch(**{**vars(stretch()), "segment_id": "x" * 64, "music_id": 10**15})
    frame = encode(MusicPlayed(stretches=(longest,) * STRETCHES_A_MESSAGE), 1)
    assert len(frame) < protocol.MAX_MESSAGE_BYTES
    assert STRETCHES_A_MESSAGE <= protocol.STRETCHES_A_MESSAGE
    assert len(protocol.decode_inbound(frame.encode()).stretches) == STRETCHES_A_MESSAGE


def test_music_waits_for_the_allowance_and_starves_no_probe():
    session = welcomed()
    session.owe_music([stretch(n) for n in range(100 * 100)])
    kinds = [type(message) for _, message in run(session, 12 * S)]
    assert kinds.count(TimeProbe) >= 10
    assert kinds.count(MusicPlayed) == 100
