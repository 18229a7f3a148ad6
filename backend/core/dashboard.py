"""The figures that sync2gear's staff see first. Each is one count over an indexed column, and leads to its list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.http import urlencode

from audit.models import AuditLog
from clients.models import Client
from devices.models import Device
from events.domain import ledger
from events.models import PlayEvent

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its name, what it is made of, and where its rows are listed."""

    title: str
    number: int
    detail: str
    link: str
    alarming: bool = False


def figures(now: datetime) -> list[Figure]:
    """Businesses, speakers, and what was played and refused in the last 24 hours."""
    since = now - DAY
    clients = Client.objects.aggregate(
        all=Count("pk"),
        trial=Count("pk", filter=Q(status=Client.Status.TRIAL)),
        suspended=Count("pk", filter=Q(status=Client.Status.SUSPENDED)),
        ended=Count("pk", filter=Q(status=Client.Status.TRIAL, trial_ends_at__lte=now)),
    )
    devices = Device.objects.count()
    online = Device.objects.online(now).count()
    plays = PlayEvent.objects.filter(created_at__gt=since).aggregate(
        all=Count("pk"),
        completed=Count("pk", filter=Q(status=ledger.COMPLETED)),
        failed=Count("pk", filter=Q(status=ledger.FAILED)),
    )
    refused = AuditLog.objects.filter(timestamp__gt=since, action="login_failed").count()
    return [
        Figure(
            "Businesses",
            clients["all"],
            f"{clients['trial']} on trial, {clients['ended']} of them ended · {clients['suspended']} suspended",
            _list("clients_client"),
        ),
        Figure(
            "Speakers online",
            online,
            f"of {devices}; {devices - online} offline",
            _list("devices_device"),
            alarming=online < devices,
        ),
        Figure(
            "Plays in 24 hours",
            plays["all"],
            f"{plays['completed']} completed",
            _list("events_playevent"),
        ),
        Figure(
            "Failed plays in 24 hours",
            plays["failed"],
            "with the reason of each",
            _list("events_playevent", status__exact=ledger.FAILED),
            alarming=plays["failed"] > 0,
        ),
        Figure(
            "Refused sign-ins in 24 hours",
            refused,
            "in the audit trail",
            _list("audit_auditlog", action__exact="login_failed"),
            alarming=refused > 0,
        ),
    ]


def _list(view: str, **filters: str) -> str:
    query = f"?{urlencode(filters)}" if filters else ""
    return reverse(f"admin:{view}_changelist") + query
