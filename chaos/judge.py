"""Were the promises kept? Pure: the devices' journals and the answers to people against what stands in the database.

Each promise is one function over `Case`; `PROMISES` is the table of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from chaos.records import OPEN, Answer, Books, Event, Journal

SLACK_US = 15 * 60 * 1_000_000
"""An instant that a device gave may lie 5 minutes outside of what is possible before it must not be believed (protocol
v1), and the server's clock may have been stepped by 10."""
UNFINISHED = frozenset({"generating", "processing"})


@dataclass(frozen=True, slots=True)
class Case:
    """The evidence of a chapter of a run. Since `settled_at` nothing went wrong any more: what was due or told before
    has had its time. `ended_at` is when the evidence was gathered. µs UTC.
    """

    journals: list[Journal]
    answers: list[Answer]
    books: Books
    settled_at: int
    ended_at: int


@dataclass(frozen=True, slots=True)
class Broken:
    """A broken promise: which, when about (µs UTC; 0: not to be told), and what was seen."""

    promise: str
    at: int
    seen: str


Findings = Iterator[tuple[int, str]]


def heard_once(case: Case) -> Findings:
    """No event sounds twice in an ear: no id twice, no play under two ids, no order of a person as two plays."""
    for journal in case.journals:
        ids = Counter(start.event for start in journal.starts)
        when = {start.event: start.at for start in journal.starts}
        for event in ids.keys() & journal.judged:
            yield when[event], f"device {journal.device} heard event {event} again after minutes"
        for event, times in ids.items():
            if times > 1:
                yield when[event], f"device {journal.device} heard event {event} {times} times"
        heard = [row for event in ids if (row := case.books.events.get(event)) is not None]
        for name, times in Counter(_occasion(row) for row in heard).items():
            if times > 1:
                yield name[-1], f"device {journal.device} heard {times} events of one occasion {name}"
    for order, plays in case.books.plays_ordered.items():
        if len(plays) > 1:
            yield 0, f"order {order} made {len(plays)} plays: {sorted(plays)}"


def _occasion(row: Event) -> tuple[str, int]:
    """What must sound once on a device: a rule's instant, or a person's play."""
    return (row.priority, row.play_at) if row.scheduled else (row.play, row.play_at)


def started_in_time(case: Case) -> Findings:
    """No event starts at or after its expiry."""
    for journal in case.journals:
        for start in journal.starts:
            if start.at >= start.expires_at:
                late_ms = (start.at - start.expires_at) // 1000
                yield start.at, f"device {journal.device} started {start.event} {late_ms} ms after its expiry"


def ended_once(case: Case) -> Findings:
    """Every event of the ledger ends in one terminal state."""
    for row in case.books.events.values():
        if row.status in OPEN and row.play_at < case.settled_at:
            yield row.created_at, f"event {row.id} of device {row.device} is still {row.status}"
        if row.endings > 1:
            yield row.created_at, f"event {row.id} ended {row.endings} times"


def receipts_kept(case: Case) -> Findings:
    """Every receipt is acknowledged in the end, and its row says what the device said."""
    for journal in case.journals:
        for receipt in journal.receipts.values():
            row = case.books.events.get(receipt.event)
            told = f"the receipt of device {journal.device} for {receipt.event} ({receipt.outcome})"
            if not receipt.acked:
                if receipt.at < case.settled_at:
                    yield receipt.at, f"{told} was never acknowledged"
            elif row is None:
                yield receipt.at, f"{told} was acknowledged, and there is no such event"
            elif row.device != journal.device or row.outcome != receipt.outcome:
                yield (
                    receipt.at,
                    f"{told} was acknowledged; device {row.device} has {row.outcome or 'nothing'!r}",
                )


def trail_whole(case: Case) -> Findings:
    """Every write that a person was told of is in the audit trail, and the trail is intact."""
    if not case.books.trail_intact:
        yield 0, f"verify_audit: {case.books.trail_said}"
    orders = {request.rpartition("-")[0] for request in case.books.audited}
    for answer in case.answers:
        # A replay of a stored answer writes nothing: the entry is that of the attempt which acted.
        if answer.acknowledged and answer.order not in orders:
            yield (
                answer.at,
                f"{answer.what} {answer.order} was answered {answer.status} and is not in the trail",
            )


def others_untouched(case: Case) -> Findings:
    """No device hears or is told of another's, and no row says of a device what that device did not say."""
    clients = {journal.device: journal.client for journal in case.journals}
    honest = {journal.device for journal in case.journals if not journal.lies}
    told = {
        (journal.device, event): receipt
        for journal in case.journals
        for event, receipt in journal.receipts.items()
    }
    for journal in case.journals:
        for event, announcement in journal.ordered.items():
            row = case.books.events.get(event)
            if row is not None and (row.device, row.client) != (journal.device, journal.client):
                yield (
                    row.created_at,
                    f"device {journal.device} was given event {event} of device {row.device}",
                )
            sound = case.books.sounds.get(announcement)
            if sound is not None and sound[0] != journal.client:
                yield 0, f"device {journal.device} was given announcement {announcement} of client {sound[0]}"
    for row in case.books.events.values():
        if row.device in clients and row.client != clients[row.device]:
            yield row.created_at, f"event {row.id} of device {row.device} stands under client {row.client}"
        if row.announcement_client not in (0, row.client):
            yield row.created_at, f"event {row.id} names an announcement of client {row.announcement_client}"
        if row.outcome and row.device in honest and (row.device, row.id) not in told:
            yield row.created_at, f"event {row.id} has {row.outcome!r}, which device {row.device} never said"
        if row.started_at is not None and not (
            min(row.created_at, row.play_at) - SLACK_US <= row.started_at <= case.ended_at + SLACK_US
        ):
            yield (
                row.created_at,
                f"event {row.id} is said to have started at {row.started_at}: believed a lie",
            )


def promises_kept(case: Case) -> Findings:
    """What a person was told is there: the events of an ordered play, and a sound that was asked for."""
    for answer in case.answers:
        if not answer.acknowledged:
            continue
        missing = [event for event in answer.events if event not in case.books.there]
        if missing:
            yield (
                answer.at,
                f"{answer.what} {answer.order} was answered with {len(missing)} events that are not there",
            )
        if answer.what == "speech":
            client, readiness = case.books.sounds.get(answer.made, (0, "not there"))
            if client != answer.client or readiness in UNFINISHED or readiness == "not there":
                yield answer.at, f"announcement {answer.made}, which was accepted, is {readiness}"


PROMISES: dict[str, Callable[[Case], Findings]] = {
    "once in the ear": heard_once,
    "never after expiry": started_in_time,
    "one end": ended_once,
    "no receipt lost": receipts_kept,
    "no audit entry missing": trail_whole,
    "others untouched": others_untouched,
    "what was told is kept": promises_kept,
}


def judged(case: Case, promises: Iterable[str] = tuple(PROMISES)) -> list[Broken]:
    """Every broken promise, by the order of the table."""
    return [Broken(name, at, seen) for name in promises for at, seen in PROMISES[name](case)]
