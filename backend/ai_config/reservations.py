"""Calls are counted before they are made, so that any number of workers keep to a provider's limits.

`reserve` takes a place by one UPDATE, whose condition holds the limits: the database lets one writer after the other
evaluate it. `settle` puts the real cost in place of the estimate, `release` gives the place back, and `sweep` settles
what a dead worker left. Each reservation is ended once, whoever comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import BigIntegerField, Case, DecimalField, ExpressionWrapper, F, Q, Value, When
from django.db.models.functions import Round

from ai_config.domain.breaker import PROBE_LEASE
from ai_config.domain.money import MICRO, cents_up
from ai_config.models import AIProvider, AIReservation, AIUsage

LOST_AFTER = timedelta(minutes=15)
"""Longer than a call and a job may take."""


class NotReserved(Exception):
    """The provider may not be called now.

    Codes: `gone`, `inactive`, `resting` (its breaker is open), `daily_limit`, `monthly_budget`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Use:
    """What a call used. `cost_microusd` is rounded up."""

    cost_microusd: int
    characters: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


def _requests(today: date) -> Case:
    return Case(When(usage_day=today, then=F("requests_today")), default=Value(0))


def _spent(month: date) -> Case:
    return Case(
        When(usage_month=month, then=F("spent_microusd")), default=Value(0), output_field=BigIntegerField()
    )


def _refusals(estimate: int, now: datetime) -> dict[str, Q]:
    """Why a call may not be made, by code; each is a condition of the reserving statement."""
    budget = Round(
        ExpressionWrapper(
            F("monthly_budget_usd") * MICRO, output_field=DecimalField(max_digits=20, decimal_places=2)
        )
    )
    return {
        "inactive": Q(is_active=True),
        "resting": Q(open_until=None) | Q(open_until__lte=now),
        "daily_limit": Q(requests__lt=F("daily_request_limit")),
        "monthly_budget": Q(spent__lte=budget - estimate),
    }


@transaction.atomic
def reserve(
    *,
    provider_id: int,
    client_id: int | None,
    kind: str,
    estimate_microusd: int,
    now: datetime,
    testing: bool = False,
) -> AIReservation:
    """Counts one call of at most this cost. Raises NotReserved.

    The first caller after a rest is the probe: the statement that lets it through shuts the door behind it for
    `PROBE_LEASE`. `testing`: staff try it, switched off or resting as it may be; limits hold for them too.
    """
    today, month = now.date(), now.date().replace(day=1)
    rows = AIProvider.objects.annotate(requests=_requests(today), spent=_spent(month)).filter(pk=provider_id)
    refusals = _refusals(estimate_microusd, now)
    if testing:
        refusals = {code: refusals[code] for code in ("daily_limit", "monthly_budget")}
    free = rows
    for condition in refusals.values():
        free = free.filter(condition)
    taken = free.update(
        requests_today=_requests(today) + 1,
        usage_day=today,
        spent_microusd=_spent(month) + estimate_microusd,
        usage_month=month,
        last_used=now,
        open_until=Case(When(open_until__lte=now, then=Value(now + PROBE_LEASE)), default=F("open_until")),
    )
    if not taken:
        raise NotReserved(_reason(rows, refusals))
    return AIReservation.objects.create(
        provider_id=provider_id,
        client_id=client_id,
        kind=kind,
        day=today,
        estimate_microusd=estimate_microusd,
        created_at=now,
    )


def _reason(rows: Any, refusals: dict[str, Q]) -> str:
    """The first condition that the row does not meet; one that changed meanwhile counts as resting."""
    if not rows.exists():
        return "gone"
    return next((code for code, wanted in refusals.items() if not rows.filter(wanted).exists()), "resting")


@transaction.atomic
def settle(*, reservation: AIReservation, use: Use | None) -> bool:
    """Puts what was used in place of the estimate; None: it is not known, so the estimate counts.

    False if somebody else has ended this reservation.
    """
    provider = _ended(reservation)
    if provider is None:
        return False
    used = use or Use(reservation.estimate_microusd)
    total = provider.total_microusd + used.cost_microusd
    _write(
        provider,
        spent_microusd=_corrected(provider, reservation, used.cost_microusd - reservation.estimate_microusd),
        total_requests=provider.total_requests + 1,
        total_tokens=provider.total_tokens + used.input_tokens + used.output_tokens,
        total_microusd=total,
        total_cost_usd=cents_up(total),
    )
    _book(
        provider,
        reservation,
        requests=1,
        cost_microusd=used.cost_microusd,
        characters=used.characters,
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
    )
    return True


@transaction.atomic
def release(*, reservation: AIReservation) -> bool:
    """Gives the place back: the provider charged nothing. False if somebody else has ended this reservation."""
    provider = _ended(reservation)
    if provider is None:
        return False
    same_day = provider.usage_day == reservation.day
    _write(
        provider,
        requests_today=max(0, provider.requests_today - 1) if same_day else provider.requests_today,
        spent_microusd=_corrected(provider, reservation, -reservation.estimate_microusd),
    )
    _book(provider, reservation, failures=1)
    return True


def sweep(*, now: datetime) -> int:
    """Settles at their estimate the calls whose worker died, which may have been charged; returns how many."""
    lost = AIReservation.objects.filter(created_at__lt=now - LOST_AFTER).order_by("created_at")
    return sum(settle(reservation=reservation, use=None) for reservation in lost)


def _ended(reservation: AIReservation) -> AIProvider | None:
    """The provider, locked, once this call has ended the reservation; the key is not read."""
    provider = (
        AIProvider.objects.select_for_update().defer("api_key").filter(pk=reservation.provider_id).first()
    )
    ended = AIReservation.objects.filter(pk=reservation.pk).delete()[0]
    return provider if ended else None


def _corrected(provider: AIProvider, reservation: AIReservation, by: int) -> int:
    """What was spent in the month; a reservation of another month changes nothing in it."""
    same_month = provider.usage_month == reservation.day.replace(day=1)
    return max(0, provider.spent_microusd + by) if same_month else provider.spent_microusd


def _write(provider: AIProvider, **columns: Any) -> None:
    """Writes counted columns of the locked row, past the audit trail."""
    AIProvider.objects.filter(pk=provider.pk).update(**columns)


def _book(provider: AIProvider, reservation: AIReservation, **counts: int) -> None:
    """Adds to the day's row. The provider's lock keeps two from making it at once."""
    place: dict[str, Any] = {
        "provider_id": provider.pk,
        "client_id": reservation.client_id,
        "day": reservation.day,
    }
    row, _ = AIUsage.objects.get_or_create(**place, defaults={"provider_name": provider.name})
    AIUsage.objects.filter(pk=row.pk).update(**{name: F(name) + count for name, count in counts.items()})
