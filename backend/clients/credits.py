"""AI credits of a business: taken before a provider is asked, given back when nothing was made of them.

What is taken is held by a row until it is known what became of it, so that a worker that dies in a provider's call
costs nobody anything: a hold that is older than any call may take is given back. Each hold ends once, whoever comes
first.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from clients.models import Client, CreditHold
from common.tenancy import scope_of_client, system_scope

LOST_AFTER = timedelta(minutes=15)
"""Longer than a call and a job may take, as for the reservations of `ai_config`."""


@transaction.atomic
def take(*, client_id: int, credits: int, now: datetime) -> CreditHold | None:
    """Takes `credits` from what the business has left by one statement; None, and nothing taken, if it has fewer."""
    with scope_of_client(client_id):
        rows = Client.objects.filter(pk=client_id, ai_credits__gte=credits)
        if not rows.update(ai_credits=F("ai_credits") - credits):
            return None
        hold: CreditHold = CreditHold.objects.create(client_id=client_id, credits=credits, created_at=now)
        return hold


def keep(hold: CreditHold) -> None:
    """Something was made of them."""
    _end(hold)


@transaction.atomic
def give_back(hold: CreditHold) -> bool:
    """Nothing was made of them; False if the hold had ended already."""
    if not _end(hold):
        return False
    with scope_of_client(hold.client_id):
        Client.objects.filter(pk=hold.client_id).update(ai_credits=F("ai_credits") + hold.credits)
    return True


def give_back_lost(*, now: datetime) -> int:
    """Gives back what dead workers held; returns how many holds."""
    with system_scope("workers die for every business"):
        lost = list(CreditHold.objects.filter(created_at__lt=now - LOST_AFTER).order_by("created_at"))
    return sum(give_back(hold) for hold in lost)


def _end(hold: CreditHold) -> bool:
    with scope_of_client(hold.client_id):
        return bool(CreditHold.objects.filter(pk=hold.pk).delete()[0])
