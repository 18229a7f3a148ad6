"""The outbox and the pump: what is due, in whose turn, what an attempt leads to, and that nothing is lost."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from audit.models import AuditLog
from common import clock
from webhooks import mailing, outbox, sending, services
from webhooks.domain import catalogue, retries
from webhooks.models import WebhookDelivery
from webhooks.pump import Pump
from webhooks.sending import Answer
from webhooks.services import Event
from webhooks.tests.receiver import status

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_system")]

NOW = clock.now().replace(microsecond=0)
NO_ANSWER = Answer(error_code="timeout", error="No answer.")
TAKEN = Answer(status=204)


def event(business: Any, type_: str = catalogue.DEVICE_OFFLINE, **data: Any) -> Event:
    return Event(client_id=business.client.pk, type=type_, data=data or {"n": 1}, at=NOW)


def tell(*events: Event, now: Any = NOW) -> int:
    return services.emit(events=events, now=now)


def attempt(answer: Answer, *, now: Any) -> None:
    """One round: whatever is due gets this answer."""
    for claimed in outbox.claim(now=now, most=100):
        outbox.record(claimed, answer, now=now)


# --- telling ---------------------------------------------------------------------------------------------


def test_who_is_told(shop: Any, other_shop: Any, make_webhook: Any) -> None:
    one, two = make_webhook(shop), make_webhook(shop, events=["device.offline"])
    make_webhook(shop, events=["device.online"])
    make_webhook(shop, is_active=False)
    make_webhook(other_shop)
    assert tell(event(shop)) == 2
    rows = list(WebhookDelivery.objects.order_by("webhook_id"))
    assert [(row.webhook_id, row.client_id) for row in rows] == [
        (one.pk, shop.client.pk),
        (two.pk, shop.client.pk),
    ]
    assert rows[0].message_id == rows[1].message_id
    assert json.loads(rows[0].payload) == {
        "type": "device.offline",
        "timestamp": catalogue.instant(NOW),
        "data": {"n": 1},
    }


def test_an_event_is_told_only_if_what_causes_it_is_committed(shop: Any, make_webhook: Any) -> None:
    make_webhook(shop)

    def causes() -> None:
        with transaction.atomic():
            tell(event(shop))
            raise IntegrityError

    with pytest.raises(IntegrityError):
        causes()
    assert not WebhookDelivery.objects.exists()


def test_many_events_take_few_queries(
    shop: Any,
    other_shop: Any,
    make_webhook: Any,
    django_assert_num_queries: Any,
    django_assert_max_num_queries: Any,
) -> None:
    with django_assert_num_queries(1):
        tell(event(shop))
    for business in (shop, other_shop):
        make_webhook(business)
    with django_assert_max_num_queries(8):  # SQLite takes sixty rows in a statement
        assert tell(*(event(business) for business in (shop, other_shop) for _ in range(100))) == 200


def test_an_unknown_type_is_a_mistake_of_ours(shop: Any, make_webhook: Any) -> None:
    make_webhook(shop, events=["device.exploded"])
    with pytest.raises(KeyError):
        tell(event(shop, "device.exploded"))


def failures(business: Any, *numbers: int) -> list[Event]:
    return [event(business, catalogue.PLAY_FAILED, id=number) for number in numbers]


def plays() -> list[list[int]]:
    """What each message of failed plays holds."""
    rows = WebhookDelivery.objects.filter(type=catalogue.PLAY_FAILED).order_by("pk")
    return [[play["id"] for play in json.loads(row.payload)["data"]["plays"]] for row in rows]


def test_a_flood_is_gathered(shop: Any, other_shop: Any, make_webhook: Any) -> None:
    make_webhook(shop)
    make_webhook(other_shop)
    wait = catalogue.TYPES[catalogue.PLAY_FAILED].gathers_for
    tell(*failures(shop, 1, 2), *failures(other_shop, 7))
    tell(*failures(shop, 3), now=NOW + wait / 2)
    assert plays() == [[1, 2, 3], [7]]
    assert outbox.claim(now=NOW + wait / 2, most=9) == [], "it waits for others"
    tell(*failures(shop, 4), now=NOW + wait)
    assert plays() == [[1, 2, 3], [7], [4]], "what is due stays as it is"
    assert len(outbox.claim(now=NOW + wait, most=9)) == 2


def test_a_large_flood_takes_several_messages(shop: Any, make_webhook: Any) -> None:
    make_webhook(shop)
    most = catalogue.MOST_TOGETHER
    tell(*failures(shop, *range(most - 1)))
    tell(*failures(shop, *range(most - 1, 2 * most + 5)))
    assert plays() == [list(range(most)), list(range(most, 2 * most)), list(range(2 * most, 2 * most + 5))]


# --- turns -----------------------------------------------------------------------------------------------


def test_every_business_has_its_turn(shop: Any, other_shop: Any, make_webhook: Any) -> None:
    """One with a thousand messages takes its own places and no more."""
    make_webhook(shop)
    make_webhook(other_shop)
    tell(*(event(shop) for _ in range(50)))
    tell(event(other_shop), now=NOW + timedelta(seconds=1))
    later = NOW + timedelta(seconds=2)
    clients = dict(WebhookDelivery.objects.values_list("pk", "client_id"))
    first = [clients[claimed.pk] for claimed in outbox.claim(now=later, most=2)]
    assert sorted(first) == sorted([shop.client.pk, other_shop.client.pk])
    taken = Counter(clients[claimed.pk] for claimed in outbox.claim(now=later, most=100))
    assert taken == {shop.client.pk: outbox.MOST_OF_A_CLIENT - 1}
    assert outbox.claim(now=later, most=100) == [], "its places are taken until somebody answers"


def test_the_oldest_comes_first(shop: Any, make_webhook: Any) -> None:
    make_webhook(shop)
    for second in (3, 1, 2):
        tell(event(shop, n=second), now=NOW + timedelta(seconds=second))
    claimed = outbox.claim(now=NOW + timedelta(seconds=9), most=2)
    assert sorted(json.loads(each.parcel.body)["data"]["n"] for each in claimed) == [1, 2]


def test_a_lease_that_ran_out_is_taken_over_and_the_late_outcome_counts_for_nothing(
    shop: Any, make_webhook: Any
) -> None:
    make_webhook(shop)
    tell(event(shop))
    [died] = outbox.claim(now=NOW, most=9)
    assert outbox.claim(now=NOW + outbox.LEASE - timedelta(seconds=1), most=9) == []
    [taken] = outbox.claim(now=NOW + outbox.LEASE, most=9)
    assert taken.parcel.headers["webhook-id"] == died.parcel.headers["webhook-id"]
    outbox.record(died, NO_ANSWER, now=NOW + outbox.LEASE)
    row = WebhookDelivery.objects.get()
    assert (row.status, row.attempts, row.leased_until) == ("pending", 0, taken.leased_until)
    outbox.record(taken, TAKEN, now=NOW + outbox.LEASE)
    row.refresh_from_db()
    assert (row.status, row.attempts, row.leased_until) == ("delivered", 1, None)


def test_what_is_gone_meanwhile_is_no_error(shop: Any, make_webhook: Any) -> None:
    webhook = make_webhook(shop)
    tell(event(shop))
    [claimed] = outbox.claim(now=NOW, most=9)
    services.delete_webhook(webhook=webhook)
    outbox.record(claimed, TAKEN, now=NOW)


# --- outcomes --------------------------------------------------------------------------------------------


def test_a_message_is_tried_again_for_a_day_and_then_has_failed(
    shop: Any, make_webhook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "_chance", lambda: 0.0)
    make_webhook(shop)
    tell(event(shop))
    now, tried = NOW, []
    while True:
        attempt(NO_ANSWER, now=now)
        row = WebhookDelivery.objects.get()
        tried.append(now - NOW)
        if row.next_attempt_at is None:
            break
        attempt(NO_ANSWER, now=row.next_attempt_at - timedelta(seconds=1))
        assert WebhookDelivery.objects.get().attempts == row.attempts, "not before its time"
        now = row.next_attempt_at
    expected = [sum(retries.PAUSES[:made], timedelta()) for made in range(retries.ATTEMPTS)]
    assert tried == expected
    assert (row.status, row.attempts, row.error_code) == ("failed", 8, "timeout")


def test_an_answer_ends_it_and_the_failures(shop: Any, make_webhook: Any) -> None:
    webhook = make_webhook(shop)
    tell(event(shop))
    attempt(Answer(status=500, body="x" * 5000, error_code="http_status", error="500"), now=NOW)
    webhook.refresh_from_db()
    assert (webhook.failures, webhook.failing_since) == (1, NOW)
    assert len(WebhookDelivery.objects.get().response_body) == 1000
    attempt(TAKEN, now=NOW + timedelta(seconds=10))
    webhook.refresh_from_db()
    assert (webhook.failures, webhook.failing_since) == (0, None)
    row = WebhookDelivery.objects.get()
    assert (row.status, row.attempts, row.response_status, row.error_code) == ("delivered", 2, 204, "")


def test_retry_after_pauses_the_whole_webhook_and_no_other(shop: Any, make_webhook: Any) -> None:
    asking, neighbour = make_webhook(shop), make_webhook(shop)
    tell(event(shop))
    busy = Answer(status=429, retry_after="3600", error_code="http_status", error="429")
    for claimed in outbox.claim(now=NOW, most=9):
        outbox.record(claimed, busy if claimed.webhook_pk == asking.pk else TAKEN, now=NOW)
    tell(event(shop), now=NOW + timedelta(seconds=1))
    claimed = outbox.claim(now=NOW + timedelta(minutes=59), most=9)
    assert [each.webhook_pk for each in claimed] == [neighbour.pk]
    assert (
        len(outbox.claim(now=NOW + timedelta(minutes=61), most=9)) == 3
    )  # the neighbour's lease ran out too


def trail() -> list[dict[str, Any]]:
    rows = AuditLog.objects.filter(resource="webhook", action="switch_off")
    return [json.loads(row.details) | {"client": row.client_id} for row in rows]


def test_gone_switches_it_off_at_once(shop: Any, make_webhook: Any) -> None:
    webhook = make_webhook(shop)
    tell(event(shop), event(shop))
    [first, second] = outbox.claim(now=NOW, most=9)
    gone = Answer(status=410, error_code="http_status", error="410 Gone")
    outbox.record(first, gone, now=NOW)
    outbox.record(second, gone, now=NOW)
    webhook.refresh_from_db()
    assert (webhook.is_active, webhook.switched_off, webhook.switched_off_at) == (False, "gone", NOW)
    assert {row.status for row in WebhookDelivery.objects.all()} == {"failed"}
    assert [(entry["why"], entry["client"]) for entry in trail()] == [("gone", shop.client.pk)], "once"
    assert mailing.tell_switched_off() == 1
    [sent] = mail.outbox
    assert sent.to == [shop.client.email]
    assert webhook.url in sent.body
    assert "410 Gone" in sent.body
    assert mailing.tell_switched_off() == 0


def test_a_day_of_failures_switches_it_off(shop: Any, make_webhook: Any) -> None:
    webhook = make_webhook(shop)
    step = timedelta(hours=2)
    for turn in range(13):
        now = NOW + turn * step
        webhook.refresh_from_db()
        assert webhook.is_active, turn
        tell(event(shop), now=now)
        attempt(NO_ANSWER, now=now)
    webhook.refresh_from_db()
    assert (webhook.is_active, webhook.switched_off) == (False, "failing")
    assert not WebhookDelivery.objects.filter(status="pending").exists()
    assert len(trail()) == 1
    assert mailing.tell_switched_off() == 1
    assert str(webhook.failures) in mail.outbox[0].body


def test_a_mail_server_that_is_away_is_asked_again(
    shop: Any, make_webhook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_webhook(shop, is_active=False, switched_off="gone", mail_owed=True)
    genuine = mailing.send_mail

    def away(*args: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(mailing, "send_mail", away)
    assert mailing.tell_switched_off() == 0
    monkeypatch.setattr(mailing, "send_mail", genuine)
    assert (mailing.tell_switched_off(), len(mail.outbox)) == (1, 1)


# --- the pump --------------------------------------------------------------------------------------------


def test_the_pump_sends_all_that_is_due(shop: Any, make_webhook: Any, receiver: Any) -> None:
    make_webhook(shop, url=receiver.url)
    tell(*(event(shop) for _ in range(20)))
    receiver.will(500)
    assert Pump().run() == 20
    assert Counter(WebhookDelivery.objects.values_list("status", flat=True)) == {
        "delivered": 19,
        "pending": 1,
    }
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 20


def test_a_committed_event_is_sent_by_a_job(shop: Any, make_webhook: Any, receiver: Any, commit: Any) -> None:
    make_webhook(shop, url=receiver.url)
    jobs: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("common.jobs._start", lambda task, ids, missed: jobs.append((task.name, ids)))
        with commit():
            tell(event(shop))
        assert jobs == [("webhooks.send_due", ())]
        with commit():
            tell(*failures(shop, 1))
        assert len(jobs) == 1, "what is gathered waits for the table's next turn"


@pytest.fixture
def no_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a commit asks for is left to the test."""
    monkeypatch.setattr("common.jobs._start", lambda task, ids, missed: None)


@pytest.mark.django_db(transaction=True)
def test_a_slow_receiver_delays_nobody_else(
    shop: Any, other_shop: Any, make_webhook: Any, receiver: Any, no_jobs: None
) -> None:
    """While one business's receiver keeps four attempts waiting, another's message, told later, arrives."""
    release = threading.Event()
    slow = make_webhook(shop, url=receiver.url)
    make_webhook(other_shop, url=receiver.url)
    receiver.will(*[lambda handler: (release.wait(20), status(204)(handler))] * outbox.MOST_OF_A_CLIENT)
    tell(*(event(shop) for _ in range(6)), now=clock.now())
    pump, ended = Pump(), []
    thread = threading.Thread(target=_run, args=(pump, ended))
    thread.start()
    receiver.await_requests(outbox.MOST_OF_A_CLIENT)
    tell(event(other_shop, other=True), now=clock.now())
    assert pump.run() == 0, "one runs already: it is rung instead"
    receiver.await_requests(outbox.MOST_OF_A_CLIENT + 1)
    assert json.loads(receiver.received[-1].body)["data"] == {"other": True}
    assert WebhookDelivery.objects.filter(webhook=slow, attempts=0).count() == 6
    release.set()
    thread.join(20)
    assert ended == [7]
    assert not WebhookDelivery.objects.exclude(status="delivered").exists()


def _run(pump: Pump, ended: list[int]) -> None:
    from django.db import connections

    try:
        ended.append(pump.run())
    finally:
        connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_two_pumps_send_nothing_twice(
    shop: Any, other_shop: Any, make_webhook: Any, receiver: Any, no_jobs: None
) -> None:
    """As two processes would: each message is leased by one of them."""
    for business in (shop, other_shop):
        make_webhook(business, url=receiver.url)
        tell(*(event(business) for _ in range(15)), now=clock.now())
    ended: list[int] = []
    threads = [threading.Thread(target=_run, args=(Pump(), ended)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    deadline = time.monotonic() + 20
    while WebhookDelivery.objects.filter(status="pending").exists() and time.monotonic() < deadline:
        Pump().run()
    assert len(receiver.received) == 30
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 30


def test_a_pump_that_fails_leaves_the_way_free(
    shop: Any, make_webhook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_webhook(shop)
    tell(event(shop), now=clock.now())
    pump = Pump()
    monkeypatch.setattr(sending, "send", lambda parcel: TAKEN)
    genuine = outbox.claim

    def broken(**kwargs: Any) -> Any:
        raise RuntimeError("the database is away")

    monkeypatch.setattr(outbox, "claim", broken)
    with pytest.raises(RuntimeError):
        pump.run()
    monkeypatch.setattr(outbox, "claim", genuine)
    assert pump.run() == 1
