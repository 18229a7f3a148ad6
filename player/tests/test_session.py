"""One connection's rules, and when to come back after it."""

from __future__ import annotations

import random
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices import protocol
from sync2gear_player.backoff import CEILING_S, Backoff
from sync2gear_player.messages import (
    Ack,
    ClockReport,
    Hello,
    Junk,
    Receipt,
    ReceiptAck,
    StatusUpdate,
    TimeProbe,
    TimeReply,
    Welcome,
)
from sync2gear_player.session import RECEIPT_REPEAT_US, SILENT_US, WELCOME_TIMEOUT_US, Session

S = 1_000_000
HELLO = Hello(
    boot_id="b",
    software="",
    capabilities=(),
    plan_etag="",
    applied_rev=0,
    clock=ClockReport(state="unsynced"),
    required_lead_ms=0,
    output_delay_ms=0,
)
WELCOME = protocol.encode(protocol.Welcome(session="s", desired=protocol.Desired(rev=1, volume=5)))


def receipt(n: int = 1) -> Receipt:
    return Receipt(event_id=str(uuid.UUID(int=n)), announcement_id=1, outcome="played")


def welcomed(*receipts: Receipt) -> Session:
    session = Session(HELLO, receipts, 0)
    assert session.due(0) == [HELLO]
    assert isinstance(session.received(WELCOME, 0), Welcome)
    return session


def reply(probe: TimeProbe, at: int) -> bytes:
    return protocol.encode(protocol.TimeReply(n=probe.n, t1=probe.t1, t2=at, t3=at))


def run(session: Session, until: int, begin: int = 0) -> list[tuple[int, object]]:
    """What it sends when it is asked exactly when it wants to be, to a server that answers probes at once."""
    sent, now = [], begin
    while now < until:
        due = session.due(now)
        sent += [(now, message) for message in due]
        for message in due:
            if isinstance(message, TimeProbe):
                session.received(reply(message, now), now)
        now = max(now + 1, session.wake_us(now))
    return sent


def test_hello_first_and_nothing_more_before_the_welcome():
    session = Session(HELLO, [receipt()], 0)
    session.say(Ack(event_id="e", state="armed"), urgent=True)
    assert session.due(0) == [HELLO]
    assert session.due(5 * S) == []
    assert not session.failed(WELCOME_TIMEOUT_US)
    assert session.failed(session.wake_us(5 * S))


def test_a_server_that_falls_silent_has_failed():
    session = welcomed()
    run(session, 30 * S)
    assert not session.failed(30 * S)
    asked = [session.due(at) for at in range(30 * S, 48 * S, S)]
    assert any(asked)  # it goes on to ask, and hears nothing
    last_heard = 22_100_000  # of the burst that began at 20.7 s
    assert not session.failed(last_heard + SILENT_US - 1000)
    assert session.failed(last_heard + SILENT_US + 1000)
    assert session.wake_us(last_heard + SILENT_US - 1000) <= last_heard + SILENT_US + 1000


def test_ten_probes_then_eight_every_ten_seconds():
    sent = [at for at, message in run(welcomed(), 40 * S) if isinstance(message, TimeProbe)]
    assert [at / S for at in sent[:10]] == pytest.approx(
        [0, 0.1, 0.2, 0.7, 1.2, 1.7, 2.2, 2.7, 3.2, 3.7], abs=1e-5
    )
    later = [at / S for at in sent[10:]]
    assert later[:8] == pytest.approx([10.7 + n * 0.2 for n in range(8)], abs=1e-4)
    assert later[8] == pytest.approx(20.7, abs=1e-3)


def test_a_reply_completes_its_probe_once_and_only_its_own():
    session = welcomed()
    probe = session.due(0)[0]
    reply = TimeReply(n=probe.n, t1=probe.t1, t2=50, t3=60)
    assert session.probe_of(TimeReply(n=99, t1=0, t2=50, t3=60), 100) is None
    done = session.probe_of(reply, 100)
    assert (done.t1, done.t2, done.t3, done.t4) == (0, 50, 60, 100)
    assert session.probe_of(reply, 110) is None, "a replay"
    late = session.due(100_000)[0]
    assert session.probe_of(TimeReply(n=late.n, t1=late.t1, t2=1, t3=1), 3 * S) is None


def test_the_last_reply_of_a_burst_belongs_to_it():
    session = welcomed()
    for now in (0, 100_000, 200_000):
        (probe,) = session.due(now)
    burst = session.burst_number
    assert session.probe_of(TimeReply(n=probe.n, t1=probe.t1, t2=1, t3=1), 250_000) is not None
    assert session.burst_number == burst


def test_a_receipt_is_repeated_until_it_is_acknowledged():
    session = welcomed(receipt())
    sent = [at for at, message in run(session, 50 * S) if isinstance(message, Receipt)]
    assert sent == pytest.approx(
        [0, RECEIPT_REPEAT_US, 2 * RECEIPT_REPEAT_US, 3 * RECEIPT_REPEAT_US], abs=1000
    )
    ack = protocol.encode(protocol.ReceiptAck(event_ids=[receipt().event_id]))
    assert isinstance(session.received(ack, 50 * S), ReceiptAck)
    assert session.receipts_pending == 0
    assert not [each for _, each in run(session, 90 * S, 50 * S) if isinstance(each, Receipt)]


@settings(max_examples=25, deadline=None)
@given(
    owed=st.integers(0, 120),
    said=st.integers(0, 120),
    rate=st.integers(2, 10),
    burst=st.integers(8, 40),
)
def test_it_never_exceeds_the_servers_limits_and_starves_nobody(owed, said, rate, burst):
    session = Session(HELLO, [receipt(n) for n in range(owed)], 0)
    session.due(0)
    limits = protocol.Limits(messages_per_second=rate, burst=burst)
    frame = protocol.encode(
        protocol.Welcome(session="s", limits=limits, desired=protocol.Desired(rev=1, volume=5))
    )
    session.received(frame, 0)
    for n in range(said):
        session.say(Ack(event_id=str(n), state="armed"), urgent=n % 2 == 0)
    sent = run(session, 12 * S)
    tokens, before = float(burst), 0
    for at, _ in [(0, HELLO), *sent]:
        tokens = min(burst, tokens + (at - before) * rate / S) - 1
        before = at
        assert tokens >= 0, "the server's bucket would have cut it off"
    if rate == 10 and owed + said <= 100:
        kinds = [type(message) for _, message in sent]
        assert kinds.count(Ack) == said
        assert kinds.count(Receipt) >= owed


def test_urgent_messages_go_first_and_junk_changes_nothing():
    session = welcomed(receipt())
    session.say(
        StatusUpdate(
            volume=1,
            muted=False,
            now_playing=None,
            applied_rev=0,
            clock=HELLO.clock,
            buffer_ms=0,
            underruns=0,
            cache_bytes=0,
            receipts_pending=0,
        )
    )
    session.say(Ack(event_id="e", state="armed"), urgent=True)
    assert isinstance(session.received("?", 0), Junk)
    assert [type(message) for message in session.due(0)] == [TimeProbe, Ack, StatusUpdate, Receipt]


def test_a_backlog_does_not_hold_up_an_ack():
    session = welcomed(*(receipt(n) for n in range(200)))
    run(session, 5 * S)
    session.say(Ack(event_id="e", state="armed"), urgent=True)
    session.say(Ack(event_id="f", state="armed"), urgent=True)
    acks = [message for message in session.due(5 * S) if isinstance(message, Ack)]
    assert len(acks) == 2, "at once, though receipts still wait for the allowance"
    assert len([each for _, each in run(session, 6 * S, 5 * S) if isinstance(each, Receipt)]) > 0


class Highest(random.Random):
    """Draws the upper end."""

    def uniform(self, a, b):
        return b


def test_backoff_grows_to_ten_seconds_and_forgets_after_a_stable_one():
    backoff = Backoff(Highest())
    assert [backoff.next_wait() for _ in range(9)] == [5, 2, 4, 8, 10, 10, CEILING_S, 10, 10]
    backoff.lasted(59)
    assert backoff.next_wait() == 10
    backoff.lasted(60)
    assert backoff.next_wait() == 5


@pytest.mark.parametrize(
    ("code", "least", "most"),
    [
        (4401, 900, 900),
        (4403, 900, 900),
        (4426, 900, 900),
        (4409, 60, 120),
        (4429, 30, 60),
        (1013, 7.5, 15),
        (1012, 0, 5),
        (1006, 0, 5),
        (None, 0, 5),
    ],
)
def test_close_codes_that_ask_for_their_own_wait(code, least, most):
    waits = [Backoff(random.Random(seed)).next_wait(code) for seed in range(50)]  # noqa: S311  a simulation
    assert least <= min(waits)
    assert max(waits) <= most
    assert least == most or max(waits) - min(waits) > (most - least) / 2, "spread over a fleet"
