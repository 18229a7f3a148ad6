"""Plays in numbers: by day, by speaker, by reason."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, tzinfo
from typing import Any

from django.db.models import Count, Max, QuerySet
from django.db.models.functions import TruncDate

from events.domain import ledger
from events.models import PlayEvent

UNREACHED = frozenset({"offline", "no_receipt"})
"""Reasons by which the speaker itself was out of reach, or went out of it."""
LEFT_OUT = frozenset(
    {
        "quiet_hours",
        "exception_date",
        "client_locked",
        "floor_stopped",
        "least_gap",
        "no_announcement",
        "not_valid",
        "cancelled",
        "superseded",
    }
)
"""Reasons by which somebody, or a rule of theirs, wanted it so."""


@dataclass(slots=True)
class Tally:
    """Numbers of plays. Among the `failed`: `unreached`, the speaker was away; `left_out`, it was wanted so."""

    completed: int = 0
    failed: int = 0
    open: int = 0
    unreached: int = 0
    left_out: int = 0

    def add(self, status: str, reason: str, number: int) -> None:
        """So many more of this state and reason."""
        if status in ledger.OPEN:
            self.open += number
        elif status == ledger.COMPLETED:
            self.completed += number
        else:
            self.failed += number
            self.unreached += number if reason in UNREACHED else 0
            self.left_out += number if reason in LEFT_OUT else 0


@dataclass(slots=True)
class DayTally(Tally):
    """Those that were due on one local date."""

    day: date = field(kw_only=True)


@dataclass(slots=True)
class DeviceTally(Tally):
    """Those of one speaker, by the name that it had last; `device` is None once it was removed."""

    device: int | None = field(kw_only=True)
    device_name: str = field(kw_only=True)


def summary_of(events: QuerySet[PlayEvent], *, zone: tzinfo) -> dict[str, Any]:
    """`days` in order, `devices` by name, `reasons` by their number. Two queries, whatever the number of plays."""
    events = events.order_by()
    days: dict[date, DayTally] = {}
    by_day = events.values_list(TruncDate("play_at", tzinfo=zone), "status", "reason")
    for day, status, reason, number in by_day.annotate(number=Count("pk")):
        days.setdefault(day, DayTally(day=day)).add(status, reason, number)

    devices: dict[tuple[int | None, str], DeviceTally] = {}
    reasons: dict[str, int] = defaultdict(int)
    by_device = events.values_list("device", "status", "reason")
    named = by_device.annotate(name=Max("device_name"), number=Count("pk"))
    for device, status, reason, name, number in named:
        key = (device, "" if device else name)
        devices.setdefault(key, DeviceTally(device=device, device_name=name)).add(status, reason, number)
        if reason:
            reasons[reason] += number
    return {
        "days": [days[day] for day in sorted(days)],
        "devices": sorted(devices.values(), key=lambda each: (each.device_name, each.device or 0)),
        "reasons": [
            {"reason": reason, "message": ledger.REASONS.get(reason, ""), "number": number}
            for reason, number in sorted(reasons.items(), key=lambda each: (-each[1], each[0]))
        ],
    }
