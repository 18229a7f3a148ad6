"""What `/metrics` reads when somebody asks: how things stand, which the database, the broker and the disk know.

The other half is what each process counts as it happens (`common.metrics`). Which half a figure belongs to is not a
matter of taste: "how many are online" is true only where the leases are, "how long did it take" only where it happened.
What is read here costs the same however long the ledger is: it reads indexes that hold what is open, and counts to MOST
at most. No figure names a business, a floor or a speaker: a thousand of them would be a thousand series of each.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection, transaction
from django.db.models import Count, Min, Q, QuerySet
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from ai_config.domain.breaker import STATES
from ai_config.models import AIProvider, AIReservation
from ai_config.selectors import spending_of
from audit.models import AuditLog
from common import heartbeat, jobs
from common.metrics import PREFIX, Declared
from common.tenancy import system_scope
from core.periodic import TABLE
from devices.models import LEASE, Device
from devices.protocol import HEARTBEAT_S
from events.domain import ledger
from events.models import PlayEvent
from playlists.airing import AHEAD as PROGRAMME_AHEAD
from playlists.models import FloorProgramme
from schedules.airing import AHEAD as SCHEDULES_AHEAD
from schedules.models import Schedule
from webhooks.models import WebhookDelivery

MOST = 100_000
"""Nothing is counted beyond this: whoever sees it knows enough."""
STATEMENT_S = 3
"""A statement that takes longer is given up, on PostgreSQL."""
LATE = timedelta(seconds=HEARTBEAT_S * 1.5)
"""A speaker that has missed one of its signs of life is late, until its lease runs out."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A gauge that is read. `name` is without the prefix."""

    name: str
    documentation: str
    labels: tuple[str, ...] = ()


Reading = tuple[Figure, Sequence[str], float]
"""A figure, the values of its labels, and its value."""

DEVICES = Figure(
    "devices",
    "Speakers by presence; late ones have missed one sign of life, new ones never called.",
    ("presence",),
)
PLAYS_OPEN = Figure("plays_open", "Plays on the record that have not ended.", ("status",))
PLAYS_OVERDUE = Figure("plays_overdue", "Plays whose time is over and whose receipt has not come.")
TICK_LAG = Figure(
    "tick_lag_seconds",
    "How far the scheduler is behind what it should have put on the record by now.",
    ("rule",),
)
AUDIT_UNSEALED = Figure("audit_unsealed_seconds", "The age of the oldest entry of the trail not sealed yet.")
WEBHOOKS_PENDING = Figure(
    "webhook_deliveries_pending", "Messages to businesses' own systems not delivered yet."
)
WEBHOOKS_OVERDUE = Figure(
    "webhook_overdue_seconds", "How long the delivery has been due that has waited longest for its turn."
)
PROVIDER_SPENT = Figure("provider_spent_dollars", "What an AI account has cost this month.", ("provider",))
PROVIDER_BUDGET = Figure("provider_budget_dollars", "What it may cost in a month.", ("provider",))
PROVIDER_REQUESTS = Figure("provider_requests_today", "How often it was asked today.", ("provider",))
PROVIDER_LIMIT = Figure("provider_requests_limit", "How often it may be asked in a day.", ("provider",))
PROVIDER_BREAKER = Figure(
    "provider_breaker", "1 for the state of its breaker: closed, open, half_open.", ("provider", "state")
)
PROVIDER_CALLS = Figure("provider_calls_open", "Calls that were counted beforehand and are not settled yet.")
TASK_SUCCESS = Figure(
    "task_last_success_timestamp_seconds",
    "When periodic work last ended well; none in a day, no series.",
    ("task",),
)
TASK_EVERY = Figure("task_every_seconds", "How often it is to run.", ("task",))
JOBS_WAITING = Figure("jobs_waiting", "Jobs that no worker has taken up; embedded, those that run as well.")
STORAGE_FREE = Figure("storage_free_bytes", "What is free where media lie. Not told of a bucket.")
STORAGE_SIZE = Figure("storage_size_bytes", "How large that is.")
PART_UP = Figure(
    "part_up", "1 if this part of the page could be read, 0 if it is missing from it.", ("part",)
)


def of_database(now: datetime) -> Iterator[Reading]:
    """All that stands in the database, as of one instant."""
    with system_scope("figures are of all businesses together"), transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = {STATEMENT_S * 1000}")
        for read in (_devices, _plays, _ticks, _audit, _webhooks, _providers):
            yield from read(now)


def _devices(now: datetime) -> Iterator[Reading]:
    counts = Device.objects.filter(revoked_at=None).aggregate(
        online=Count("pk", filter=Q(last_seen__gt=now - LATE)),
        late=Count("pk", filter=Q(last_seen__gt=now - LEASE, last_seen__lte=now - LATE)),
        offline=Count("pk", filter=Q(last_seen__lte=now - LEASE)),
        new=Count("pk", filter=Q(last_seen=None)),
    )
    for presence, number in counts.items():
        yield DEVICES, (presence,), number


def _plays(now: datetime) -> Iterator[Reading]:
    for status in sorted(ledger.OPEN):
        yield PLAYS_OPEN, (status,), _number(PlayEvent.objects.open().filter(status=status))
    yield PLAYS_OVERDUE, (), _number(PlayEvent.objects.open().filter(expires_at__lt=now))


def _ticks(now: datetime) -> Iterator[Reading]:
    behind = {
        "schedules": (Schedule.objects.aggregate(at=Min("planned_until"))["at"], SCHEDULES_AHEAD),
        "programmes": (FloorProgramme.objects.aggregate(at=Min("announcements_from"))["at"], PROGRAMME_AHEAD),
    }
    for rule, (earliest, ahead) in behind.items():
        yield TICK_LAG, (rule,), _age(earliest, now + ahead)


def _audit(now: datetime) -> Iterator[Reading]:
    oldest = (
        AuditLog.everything.filter(number=None).order_by("pk").values_list("timestamp", flat=True).first()
    )
    yield AUDIT_UNSEALED, (), _age(oldest, now)


def _webhooks(now: datetime) -> Iterator[Reading]:
    pending = WebhookDelivery.objects.filter(status="pending")
    yield WEBHOOKS_PENDING, (), _number(pending)
    due = WebhookDelivery.objects.due(now).order_by("next_attempt_at")
    yield WEBHOOKS_OVERDUE, (), _age(due.values_list("next_attempt_at", flat=True).first(), now)


def _providers(now: datetime) -> Iterator[Reading]:
    for account in AIProvider.objects.filter(is_active=True).defer("api_key"):
        name, spending = (account.name,), spending_of(account, now=now)
        yield PROVIDER_SPENT, name, float(spending.spent_this_month_usd)
        yield PROVIDER_BUDGET, name, float(account.monthly_budget_usd)
        yield PROVIDER_REQUESTS, name, spending.requests_today
        yield PROVIDER_LIMIT, name, account.daily_request_limit
        for state in STATES:
            yield PROVIDER_BREAKER, (account.name, state), float(account.breaker.state(now) == state)
    yield PROVIDER_CALLS, (), _number(AIReservation.objects.all())


def of_heartbeats(now: datetime) -> Iterator[Reading]:
    """Signs of life."""
    for entry in TABLE:
        yield TASK_EVERY, (entry.task,), entry.every_s
    for task, at in heartbeat.last_beats([entry.task for entry in TABLE]).items():
        yield TASK_SUCCESS, (task,), at.timestamp()


def of_queue(now: datetime) -> Iterator[Reading]:
    """Jobs that wait."""
    if settings.JOBS_EMBEDDED:
        yield JOBS_WAITING, (), jobs.executor().held
        return
    from core.celery import app

    with app.connection_for_read() as broker:
        broker.ensure_connection(max_retries=0, timeout=2)
        queues = [queue.bind(broker.default_channel) for queue in app.amqp.queues.values()]
        yield JOBS_WAITING, (), sum(queue.queue_declare(nowait=False).message_count for queue in queues)


def of_storage(now: datetime) -> Iterator[Reading]:
    """The room for media."""
    if isinstance(default_storage, FileSystemStorage):
        usage = shutil.disk_usage(settings.DATA_DIR)
        yield STORAGE_FREE, (), usage.free
        yield STORAGE_SIZE, (), usage.total


@dataclass(frozen=True, slots=True)
class Part:
    """Figures that are read together: from one place, which may be away."""

    read: Callable[[datetime], Iterable[Reading]]
    figures: tuple[Figure, ...]


PARTS: dict[str, Part] = {
    "database": Part(
        of_database,
        (
            DEVICES,
            PLAYS_OPEN,
            PLAYS_OVERDUE,
            TICK_LAG,
            AUDIT_UNSEALED,
            WEBHOOKS_PENDING,
            WEBHOOKS_OVERDUE,
            PROVIDER_SPENT,
            PROVIDER_BUDGET,
            PROVIDER_REQUESTS,
            PROVIDER_LIMIT,
            PROVIDER_BREAKER,
            PROVIDER_CALLS,
        ),
    ),
    "heartbeats": Part(of_heartbeats, (TASK_SUCCESS, TASK_EVERY)),
    "queue": Part(of_queue, (JOBS_WAITING,)),
    "storage": Part(of_storage, (STORAGE_FREE, STORAGE_SIZE)),
}


def described() -> list[Declared]:
    """Every figure that is read, as the counted ones are described."""
    read = [figure for part in PARTS.values() for figure in part.figures]
    return [
        Declared(PREFIX + each.name, "gauge", each.documentation, each.labels) for each in (*read, PART_UP)
    ]


def families(readings: Iterable[Reading], figures: Iterable[Figure]) -> Iterator[Metric]:
    """Readings in the form in which they are told, one family for each of `figures`."""
    found = {
        figure: GaugeMetricFamily(PREFIX + figure.name, figure.documentation, labels=figure.labels)
        for figure in figures
    }
    for figure, labels, value in readings:
        found[figure].add_metric(labels, value)
    yield from found.values()


def _number(rows: QuerySet[Any]) -> int:
    return rows.order_by()[:MOST].count()


def _age(since: datetime | None, until: datetime) -> float:
    """Seconds between the two; 0 if there is nothing, or if it lies ahead."""
    return max(0.0, (until - since).total_seconds()) if since is not None else 0.0
