"""`/metrics`: who may read it, what it tells, and that it tells it whatever is away."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from ai_config.models import AIProvider
from audit.services import record
from common import clock, heartbeat, jobs, metrics
from conftest import Business
from core import figures, probes
from core.figures import PARTS, of_database, of_heartbeats, of_queue, of_storage
from devices.models import Device
from devices.ports import DeviceReport
from devices.protocol import Ack, PlaybackComplete
from events.delivery import EventLedger
from events.models import PlayEvent
from events.services import play_now
from events.tests.support import make_announcement

TOKEN = "a-token-that-only-prometheus-has"


@pytest.fixture(autouse=True)
def with_a_token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


@pytest.fixture
def counted() -> Any:
    """`counted(name, **labels)`: by how much a figure of this process has grown in the test."""
    before = dict(_values())

    def grown(name: str, **labels: str) -> float:
        key = (metrics.PREFIX + name, tuple(sorted(labels.items())))
        return dict(_values()).get(key, 0.0) - before.get(key, 0.0)

    return grown


def _values() -> Iterator[tuple[tuple[str, tuple[tuple[str, str], ...]], float]]:
    for family in metrics.REGISTRY.collect():
        for sample in family.samples:
            yield (sample.name, tuple(sorted(sample.labels.items()))), sample.value


def ask(token: str | None = TOKEN) -> Any:
    """What a caller with this token gets."""
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return Client().get("/metrics", headers={"host": "10.1.2.3", **headers})


def told(page: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """The samples of a page, by name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def read(read_part: Any) -> dict[tuple[str, ...], float]:
    """What one part reads now: by the figure's name and its labels' values."""
    return {(figure.name, *labels): value for figure, labels, value in read_part(clock.now())}


# --- who may ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("configured", "offered", "status"),
    [
        ("", None, 404),
        ("", "", 404),
        ("", TOKEN, 404),
        (TOKEN, None, 401),
        (TOKEN, "", 401),
        (TOKEN, TOKEN[:-1], 401),
        (TOKEN, "ä", 401),
    ],
)
def test_nobody_reads_it_without_the_token(
    settings: Any, configured: str, offered: str | None, status: int
) -> None:
    settings.METRICS_TOKEN = configured
    answer = ask(offered)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert ("WWW-Authenticate" in answer) == (status == 401)
    assert metrics.PREFIX not in answer.content.decode()


# --- the page --------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_page_tells_of_every_part() -> None:
    heartbeat.beat("schedules.tick", now=clock.now())
    ask()
    answer = ask()
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = told(answer.content.decode())
    up = {labels: value for (name, labels), value in found.items() if name == "sync2gear_part_up"}
    assert up == {(("part", part),): 1.0 for part in (*PARTS, "counted")}
    assert {name for name, _ in found} >= {
        "sync2gear_devices",
        "sync2gear_task_last_success_timestamp_seconds",
        "sync2gear_jobs_waiting",
        "sync2gear_storage_free_bytes",
    }


@pytest.mark.django_db(transaction=True)
def test_what_is_away_is_missing_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(now: Any) -> Any:
        raise ConnectionError("redis://:kept-to-itself@10.0.0.8")

    end = threading.Event()

    def hangs(now: Any) -> Any:
        assert end.wait(60)
        return []

    monkeypatch.setattr(probes, "READ_WITHIN_S", 0.5)
    monkeypatch.setitem(PARTS, "heartbeats", figures.Part(away, (figures.TASK_SUCCESS,)))
    monkeypatch.setitem(PARTS, "storage", figures.Part(hangs, (figures.STORAGE_FREE,)))
    began = time.monotonic()
    page = ask().content.decode()
    end.set()
    assert time.monotonic() - began < 30
    found = told(page)
    up = {labels[0][1]: value for (name, labels), value in found.items() if name.endswith("part_up")}
    assert set(up) == {*PARTS, "counted"}
    assert (up["heartbeats"], up["storage"]) == (0, 0)
    assert not any("storage_free" in name for name, _ in found)
    assert "kept-to-itself" not in page


# --- what is read ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_speakers_by_presence(shop: Business, everything: None) -> None:
    now = clock.now()
    for number, ago_s in enumerate((1, 21, 24, 44, 46, 9000)):
        Device.objects.create(
            client=shop.client, name="x", device_id=f"d{number}", last_seen=now - timedelta(seconds=ago_s)
        )
    Device.objects.create(client=shop.client, name="x", device_id="gone", last_seen=now, revoked_at=now)
    found = {labels[0]: value for figure, labels, value in of_database(now) if figure is figures.DEVICES}
    assert found == {"online": 2, "late": 2, "offline": 2, "new": 2}


@pytest.mark.django_db
def test_what_is_open_and_what_is_owed(shop: Business, everything: None) -> None:
    now = clock.now()
    for status, over_s in (("pending", -60), ("pending", 10), ("playing", 10), ("completed", 10)):
        PlayEvent.objects.create(
            play_id="00000000-0000-5000-8000-000000000001",
            client=shop.client,
            status=status,
            event_type="instant",
            play_at=now,
            expires_at=now - timedelta(seconds=over_s),
            created_at=now,
        )
    record("look", resource="client", resource_id=1, client_id=shop.client.pk, details={})
    found = read(of_database)
    assert found["plays_open", "pending"] == 2
    assert found["plays_open", "playing"] == 1
    assert found["plays_open", "delivered"] == 0
    assert found["plays_overdue",] == 2
    assert 0 < found["audit_unsealed_seconds",] < 60
    assert found["webhook_deliveries_pending",] == 0
    assert found["tick_lag_seconds", "schedules"] == 0


@pytest.mark.django_db
def test_the_lag_of_the_tick(shop: Business, everything: None) -> None:
    from schedules.models import Schedule

    now = clock.now()
    for behind_s in (7, 3):
        Schedule.objects.create(
            client=shop.client,
            name="s",
            schedule_type="interval",
            interval_minutes=5,
            planned_until=now + figures.SCHEDULES_AHEAD - timedelta(seconds=behind_s),
        )
    found = {labels: value for figure, labels, value in of_database(now) if figure is figures.TICK_LAG}
    assert found["schedules",] == pytest.approx(7)


@pytest.mark.django_db
def test_what_providers_cost() -> None:
    now = clock.now()
    AIProvider.objects.create(
        name="Main",
        provider="openai",
        api_key="sk-secret",
        monthly_budget_usd=Decimal(20),
        usage_month=now.date().replace(day=1),
        spent_microusd=12_500_000,
        usage_day=now.date(),
        requests_today=7,
        open_until=now + timedelta(minutes=1),
    )
    AIProvider.objects.create(name="Off", provider="openai", api_key="k", is_active=False)
    found = read(of_database)
    assert found["provider_spent_dollars", "Main"] == 12.5
    assert found["provider_budget_dollars", "Main"] == 20
    assert found["provider_requests_today", "Main"] == 7
    assert [found["provider_breaker", "Main", state] for state in ("closed", "open", "half_open")] == [
        0,
        1,
        0,
    ]
    assert not any("Off" in key for key in found)


@pytest.mark.django_db
def test_the_broker_the_signs_of_life_and_the_disk(settings: Any) -> None:
    now = clock.now()
    heartbeat.beat("audit.seal", now=now)
    found = read(of_heartbeats)
    assert found["task_last_success_timestamp_seconds", "audit.seal"] == pytest.approx(
        now.timestamp(), abs=0.01
    )
    assert ("task_last_success_timestamp_seconds", "events.sweep") not in found
    assert found["task_every_seconds", "events.sweep"] == 5
    assert read(of_queue) == {("jobs_waiting",): 0}
    found = read(of_storage)
    assert 0 < found["storage_free_bytes",] < found["storage_size_bytes",]


@pytest.mark.production
@pytest.mark.django_db
def test_jobs_that_wait_at_the_broker() -> None:
    from core.celery import app

    def waiting() -> float:
        return read(of_queue)["jobs_waiting",]

    before = waiting()
    with app.connection_for_write() as broker:
        queue = app.amqp.queues[app.conf.task_default_queue].bind(broker.default_channel)
        queue.declare()
        broker.Producer().publish({}, routing_key=queue.routing_key, exchange=queue.exchange)
        assert waiting() == before + 1
        queue.purge()


# --- what is counted -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_requests_are_counted_by_route(call: Any, shop: Business, counted: Any) -> None:
    call(shop.admin).get(f"/api/floors/{shop.floors[0].pk}/")
    call().get("/no/such/place/1")
    call().get("/no/such/place/2")
    call().generic("BREW", "/api/floors/")
    floors = {"method": "GET", "route": "/api/floors/<pk>/"}
    assert counted("http_requests_total", **floors, status="200") == 1
    assert counted("http_request_seconds_count", **floors) == 1
    assert counted("http_requests_total", method="GET", route="unmatched", status="404") == 2
    assert counted("http_request_seconds_count", method="other", route="/api/floors/") == 1


@pytest.mark.django_db
def test_plays_are_counted_by_what_became_of_them(
    shop: Business,
    everything: None,
    counted: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    words = make_announcement(shop)
    device, now = shop.devices[0], clock.now()
    ordered = play_now(announcement=words, devices=[device], user=None, now=now)
    event_id = str(ordered.events[0].pk)

    def says(message: Any, after_s: float) -> None:
        at = now + timedelta(seconds=after_s)
        with django_capture_on_commit_callbacks(execute=True):
            EventLedger().store([DeviceReport(device.pk, message, at)], now=at)

    receipt = PlaybackComplete(
        event_id=event_id, announcement_id=words.pk, outcome="played", start_error_us=-1500
    )
    says(Ack(event_id=event_id, state="armed"), 0.02)
    says(receipt, 4)
    says(receipt, 5)
    assert counted("play_acknowledged_seconds_bucket", type="instant", le="0.01") == 0
    assert counted("play_acknowledged_seconds_bucket", type="instant", le="0.025") == 1
    assert counted("plays_ended_total", status="completed", reason="", priority="instant") == 1
    assert counted("play_receipt_seconds_sum", type="instant") == pytest.approx(4)
    assert counted("play_start_error_seconds_bucket", le="0.001") == 0
    assert counted("play_start_error_seconds_bucket", le="0.002") == 1


def test_jobs_are_counted_by_how_they_end(counted: Any) -> None:
    def fails() -> None:
        raise LookupError

    assert jobs.run_logged("a.task", lambda: None, "it failed")
    assert not jobs.run_logged("a.task", fails, "it failed")
    assert counted("job_seconds_count", task="a.task", outcome="done") == 1
    assert counted("job_seconds_count", task="a.task", outcome="failed") == 1


# --- many processes --------------------------------------------------------------------------------------


@pytest.fixture
def redis_(settings: Any) -> Any:
    """The Redis of this footprint, with nothing told yet."""
    client = metrics._redis(settings.REDIS_URL)
    client.delete(metrics.SUMS, metrics.GAUGES)
    metrics._shared.told.clear()
    return client


def everybody() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """What is told of all processes together."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in metrics.Everybody().collect()
        for sample in family.samples
    }


@pytest.mark.production
def test_processes_add_to_the_same_sums(redis_: Any) -> None:
    key = ("sync2gear_job_seconds_count", (("outcome", "done"), ("task", "shared")))
    jobs.run_logged("shared", lambda: None, "")
    assert everybody()[key] == 1
    assert everybody()[key] == 1
    child = os.fork()
    if not child:
        # What the parent has counted is the parent's; two more are the child's own.
        for _ in range(2):
            metrics.JOB_SECONDS.labels("shared", "done").observe(1)
        metrics._redis.cache_clear()
        metrics.share()
        os._exit(0)
    os.waitpid(child, 0)
    metrics.JOB_SECONDS.labels("shared", "done").observe(1)
    assert everybody()[key] == 4
    sockets = ("sync2gear_sockets", ())
    assert everybody()[sockets] == 0


@pytest.mark.production
def test_gauges_of_processes_that_are_gone_count_no_more(
    redis_: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sockets = ("sync2gear_sockets", ())
    for process, ago_s, number in (("a:1", 0, 3), ("b:1", 20, 4), ("c:1", 31, 100)):
        said = metrics.json.dumps(
            {"at": time.time() - ago_s, "values": {'["sync2gear_sockets", "sync2gear_sockets", []]': number}}
        )
        redis_.hset(metrics.GAUGES, process, said)
    assert everybody()[sockets] == 7
    assert set(redis_.hgetall(metrics.GAUGES)) == {"a:1", "b:1", metrics._process()}
    metrics.leave()
    assert set(redis_.hgetall(metrics.GAUGES)) == {"a:1", "b:1"}


@pytest.mark.production
def test_what_could_not_be_told_is_told_later(redis_: Any, settings: Any) -> None:
    key = ("sync2gear_job_seconds_count", (("outcome", "done"), ("task", "later")))
    there = settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    jobs.run_logged("later", lambda: None, "")
    metrics.share()
    settings.REDIS_URL = there
    assert everybody()[key] == 1


@pytest.mark.production
def test_buckets_stand_in_their_order(redis_: Any) -> None:
    jobs.run_logged("order", lambda: None, "")
    page = probes.generate_latest(metrics.Everybody()).decode()
    bounds = re.findall(r'job_seconds_bucket\{le="([^"]+)",outcome="done",task="order"\}', page)
    assert bounds == [*map(str, metrics.SLOW), "+Inf"]
