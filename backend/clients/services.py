"""Changes of businesses: by their own admins, by sync2gear's staff, and by time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from audit.services import record
from clients.domain import access
from clients.models import Client
from clients.selectors import email_is_a_clients
from common.errors import Refusal
from common.rows import lock_row
from common.tenancy import system_scope
from common.validators import field_error


@transaction.atomic
def open_trial(*, business_name: str, email: str, telephone: str, timezone: str, now: datetime) -> Client:
    """A new business on trial from `now` for the default number of days. Raises as `create_client` does."""
    return create_client(
        business_name=business_name, email=email, telephone=telephone, timezone=timezone, now=now
    )


@transaction.atomic
def create_client(*, business_name: str, email: str, now: datetime, **fields: Any) -> Client:
    """A new business, on trial unless `fields` say otherwise; the trial runs `trial_days` from `now`.

    `fields` are other columns of the model. Raises `ValidationError`: an address that a business uses (any case),
    a trial that is over already, a value that the model refuses.
    """
    _address_is_free(email)
    client = Client(
        **{"business_name": business_name, "name": business_name, "email": email.lower()} | fields
    )
    if "subscription_status" not in fields:
        client.subscription_status = access.SUBSCRIPTION_OF.get(client.status, client.subscription_status)
    if client.status == Client.Status.TRIAL and "trial_ends_at" not in fields:
        client.trial_ends_at = now + timedelta(days=client.trial_days)
    _trial_is_ahead(client, now)
    client.full_clean(validate_unique=False, validate_constraints=False)
    client.save()
    return client


@transaction.atomic
def set_up_business(*, client: Client, **settings: Any) -> Client:
    """Changes what a business sets for itself: name, telephone, description, timezone, announcement_gap_minutes.

    Raises `ValidationError` for a value that the model refuses. Only these columns are written, so that a change
    of credits or status meanwhile is not undone.
    """
    return _changed(_locked(client), settings)


@transaction.atomic
def update_client(*, client: Client, now: datetime, **changes: Any) -> Client:
    """Changes any column that staff may set, the status too.

    A new status brings its subscription with it unless `changes` name another. Raises `ValidationError`: an
    address that another business uses (any case), a trial that is over already, a value that the model refuses.
    Raises Refusal `client_deleting` once the deletion is confirmed.
    """
    locked = _locked(client)
    if "email" in changes:
        changes["email"] = changes["email"].lower()
        _address_is_free(changes["email"], except_pk=locked.pk)
    if changes.get("status", locked.status) != locked.status and changes["status"] in access.SUBSCRIPTION_OF:
        changes.setdefault("subscription_status", access.SUBSCRIPTION_OF[changes["status"]])
    if changes.keys() & {"status", "trial_ends_at"}:
        _assign(locked, changes)
        _trial_is_ahead(locked, now)
    return _changed(locked, changes)


@transaction.atomic
def extend_trial(*, client: Client, days: int, now: datetime) -> Client:
    """Lets a trial run `days` longer than it would; one that ran out runs `days` from `now`.

    Raises Refusal `not_on_trial` for a business that is neither on trial nor was shut because its trial ran out,
    and for a trial that has no end; `client_deleting` once the deletion is confirmed.
    """
    locked = _locked(client)
    lapsed = (locked.status, locked.subscription_status) == (Client.Status.SUSPENDED, access.TRIAL_ENDED)
    if locked.status != Client.Status.TRIAL and not lapsed:
        raise Refusal(
            "not_on_trial",
            f"{locked.name} is {locked.get_status_display().lower()}. Set its status to trial first.",
        )
    if locked.trial_ends_at is None:
        raise Refusal("not_on_trial", f"The trial of {locked.name} has no end that could be moved.")
    ends_at = max(locked.trial_ends_at, now) + timedelta(days=days)
    changes = {
        "status": Client.Status.TRIAL,
        "subscription_status": access.TRIAL,
        "trial_ends_at": ends_at,
    }
    record(
        "extend_trial",
        resource="client",
        resource_id=locked.pk,
        client_id=locked.pk,
        details={"days": days, "trial_ends_at": ends_at},
    )
    return _changed(locked, changes)


def close_lapsed_trials(*, now: datetime) -> int:
    """Suspends the businesses whose trial has ended, and says so in the trail; returns how many.

    They were locked from the instant itself: this makes the stored state say what holds already. May run twice
    and in several processes: a row that another has locked is that one's to close.
    """
    with system_scope("trials end in every business"):
        lapsed = Client.objects.filter(status=Client.Status.TRIAL, trial_ends_at__lte=now)
        return sum(_close_lapsed(pk, now) for pk in lapsed.values_list("pk", flat=True))


@transaction.atomic
def _close_lapsed(pk: int, now: datetime) -> bool:
    client = (
        Client.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(pk=pk, status=Client.Status.TRIAL, trial_ends_at__lte=now)
        .first()
    )
    if client is None:
        return False
    record(
        "trial_ended",
        resource="client",
        resource_id=pk,
        client_id=pk,
        details={"trial_ends_at": client.trial_ends_at},
    )
    _changed(client, {"status": Client.Status.SUSPENDED, "subscription_status": access.TRIAL_ENDED})
    return True


def _locked(client: Client) -> Client:
    """The row, locked; refuses one that is on its way out."""
    locked: Client = lock_row(Client.objects.all(), client.pk)
    if locked.deletion_confirmed_at is not None:
        raise Refusal("client_deleting", f"The deletion of {locked.name} was confirmed; it is under way.")
    return locked


def _changed(locked: Client, changes: dict[str, Any]) -> Client:
    """Saves these columns and no other."""
    _assign(locked, changes)
    locked.full_clean(validate_unique=False, validate_constraints=False)
    if changes:
        locked.save(update_fields=[*changes, "updated_at"])
    return locked


def _assign(client: Client, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(client, name, value)


def _address_is_free(email: str, *, except_pk: int | None = None) -> None:
    if email_is_a_clients(email, except_pk=except_pk):
        raise field_error("email", "unique", "A business is registered with this address already.")


def _trial_is_ahead(client: Client, now: datetime) -> None:
    ends_at = client.trial_ends_at
    if client.status == Client.Status.TRIAL and ends_at is not None and ends_at <= now:
        raise field_error(
            "trial_ends_at",
            "trial_over",
            f"A trial cannot end in the past ({ends_at:%Y-%m-%d %H:%M} UTC). Name an instant to come, null for a"
            " trial without an end, or suspend the business.",
        )
