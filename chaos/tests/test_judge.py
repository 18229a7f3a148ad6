"""The judge complains of each broken promise, and of nothing when all were kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from chaos.judge import PROMISES, Case, judged
from chaos.records import Answer, Books, Event, Journal, Receipt, Start

T = 1_772_452_800_000_000
SECOND = 1_000_000
HOUR = 3600 * SECOND


def case() -> Case:
    """Two devices of two businesses; each has heard one play, and everything is as it should be."""
    journals, rows, answers = [], {}, []
    for device, client in ((1, 10), (2, 20)):
        event, play, order = f"event-{device}", f"play-{device}", f"order-{device}"
        journal = Journal(device, client)
        journal.ordered[event] = client + 1
        journal.starts.append(Start(event, client + 1, T, T + 2 * SECOND))
        journal.receipts[event] = Receipt(event, "played", T + SECOND, acked=True)
        journals.append(journal)
        rows[event] = Event(
            id=event,
            play=play,
            device=device,
            client=client,
            announcement_client=client,
            scheduled=False,
            priority="instant",
            status="completed",
            reason="",
            outcome="played",
            play_at=T,
            created_at=T - SECOND,
            started_at=T,
            endings=1,
        )
        answers.append(Answer(order, f"{order}-0", "play", 202, T - SECOND, client, events=(event,)))
    answers.append(Answer("order-3", "order-3-0", "speech", 202, T, 10, made=11))
    books = Books(
        events=rows,
        there=frozenset(rows),
        audited={answer.request_id: (answer.what, "") for answer in answers},
        plays_ordered={"order-1": {"play-1"}, "order-2": {"play-2"}},
        sounds={11: (10, "ready"), 21: (20, "ready")},
        trail_intact=True,
    )
    return Case(journals, answers, books, settled_at=T + HOUR, ended_at=T + HOUR)


def row(case: Case, **changes: object) -> None:
    """Changes the row of device 1."""
    case.books.events["event-1"] = replace(case.books.events["event-1"], **changes)  # type: ignore[arg-type]  # any column


def heard_twice(case: Case) -> None:
    case.journals[0].starts.append(Start("event-1", 11, T + SECOND, T + 2 * SECOND))


def heard_under_two_ids(case: Case) -> None:
    case.journals[0].starts.append(Start("again", 11, T + SECOND, T + 2 * SECOND))
    case.journals[0].receipts["again"] = Receipt("again", "played", T + SECOND, acked=True)
    case.books.events["again"] = replace(case.books.events["event-1"], id="again")


def a_rule_fired_twice(case: Case) -> None:
    row(case, scheduled=True)
    heard_under_two_ids(case)
    case.books.events["again"] = replace(case.books.events["again"], play="another")


def one_order_two_plays(case: Case) -> None:
    case.books.plays_ordered["order-1"].add("another")


def started_at_its_expiry(case: Case) -> None:
    case.journals[0].starts[0].at = T + 2 * SECOND


def still_open(case: Case) -> None:
    row(case, status="delivered")


def ended_twice(case: Case) -> None:
    row(case, endings=2)


def receipt_not_acknowledged(case: Case) -> None:
    case.journals[0].receipts["event-1"].acked = False


def receipt_without_a_row(case: Case) -> None:
    case.journals[0].receipts["gone"] = Receipt("gone", "skipped_late", T, acked=True)


def receipt_overruled(case: Case) -> None:
    row(case, outcome="partial")


def receipt_kept_by_nobody(case: Case) -> None:
    row(case, outcome="", status="failed", reason="no_receipt")


def write_not_in_the_trail(case: Case) -> None:
    del case.books.audited["order-2-0"]


def trail_tampered_with(case: Case) -> None:
    object.__setattr__(case.books, "trail_intact", False)


def given_anothers_event(case: Case) -> None:
    case.journals[0].ordered["event-2"] = 11


def given_anothers_sound(case: Case) -> None:
    case.journals[0].ordered["event-1"] = 21


def row_under_another_client(case: Case) -> None:
    row(case, client=20, announcement_client=20)


def row_with_anothers_sound(case: Case) -> None:
    row(case, announcement_client=20)


def outcome_that_nobody_told(case: Case) -> None:
    case.books.events["forged"] = replace(case.books.events["event-1"], id="forged", play="x", play_at=T + 1)


def impossible_instant_believed(case: Case) -> None:
    row(case, started_at=T + 2 * HOUR)


def ordered_play_is_not_there(case: Case) -> None:
    case.answers.append(Answer("order-1", "order-1-1", "play", 202, T, 10, events=("never",)))


def accepted_speech_is_not_made(case: Case) -> None:
    case.books.sounds[11] = (10, "generating")


def accepted_speech_is_gone(case: Case) -> None:
    del case.books.sounds[11]


BROKEN: dict[Callable[[Case], None], str] = {
    heard_twice: "once in the ear",
    heard_under_two_ids: "once in the ear",
    a_rule_fired_twice: "once in the ear",
    one_order_two_plays: "once in the ear",
    started_at_its_expiry: "never after expiry",
    still_open: "one end",
    ended_twice: "one end",
    receipt_not_acknowledged: "no receipt lost",
    receipt_without_a_row: "no receipt lost",
    receipt_overruled: "no receipt lost",
    receipt_kept_by_nobody: "no receipt lost",
    write_not_in_the_trail: "no audit entry missing",
    trail_tampered_with: "no audit entry missing",
    given_anothers_event: "others untouched",
    given_anothers_sound: "others untouched",
    row_under_another_client: "others untouched",
    row_with_anothers_sound: "others untouched",
    outcome_that_nobody_told: "others untouched",
    impossible_instant_believed: "others untouched",
    ordered_play_is_not_there: "what was told is kept",
    accepted_speech_is_not_made: "what was told is kept",
    accepted_speech_is_gone: "what was told is kept",
}


def test_nothing_is_broken_when_all_was_kept() -> None:
    assert judged(case()) == []


@pytest.mark.parametrize(
    ("breaks", "promise"), BROKEN.items(), ids=lambda each: getattr(each, "__name__", "")
)
def test_it_complains(breaks: Callable[[Case], None], promise: str) -> None:
    evidence = case()
    breaks(evidence)
    assert {broken.promise for broken in judged(evidence)} == {promise}


def test_each_promise_is_broken_by_something() -> None:
    assert set(BROKEN.values()) == set(PROMISES)


def test_what_is_still_on_its_way_is_not_broken() -> None:
    evidence = case()
    row(evidence, status="playing", outcome="", play_at=T + HOUR)
    evidence.journals[0].receipts["event-1"] = Receipt("event-1", "played", T + HOUR)
    assert judged(evidence) == []


def test_a_failed_attempt_and_a_replayed_answer_owe_the_trail_nothing_more() -> None:
    evidence = case()
    evidence.answers.append(Answer("order-1", "order-1-1", "play", 202, T, 10, events=("event-1",)))
    evidence.answers.append(Answer("order-9", "order-9-0", "play", 0, T, 10))
    assert judged(evidence) == []
