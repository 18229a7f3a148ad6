"""The end of a business, in two steps: it is asked for, and it is confirmed.

Asked for, the business is locked: its speakers go silent and its people cannot sign in. Until it is confirmed it can
be called off; then a job does it (`clients.erasing`).
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from audit.services import record
from clients.models import Client
from clients.tasks import erase
from common import jobs
from common.errors import Refusal
from common.rows import lock_row
from common.validators import field_error


@transaction.atomic
def request_deletion(*, client: Client, now: datetime) -> Client:
    """Locks the business until its deletion is confirmed or called off; asked for twice, it stays as it is."""
    locked = _locked(client)
    if locked.deletion_requested_at is None:
        _record("request_deletion", locked)
        _set(locked, deletion_requested_at=now)
    return locked


@transaction.atomic
def confirm_deletion(*, client: Client, name: str, now: datetime) -> Client:
    """Lets the deletion begin, which cannot be called off any more; confirmed twice, it stays as it is.

    Raises Refusal `deletion_not_requested`; `ValidationError` unless `name` is the business's own.
    """
    locked = _requested(client)
    if name != locked.name.strip():
        raise field_error(
            "name", "name_mismatch", f"Type the name of the business as it stands: {locked.name}"
        )
    if locked.deletion_confirmed_at is None:
        _record("confirm_deletion", locked)
        _set(locked, deletion_confirmed_at=now)
        jobs.enqueue(erase, locked.pk)
    return locked


@transaction.atomic
def cancel_deletion(*, client: Client) -> Client:
    """Opens the business again, as far as its status does.

    Raises Refusal `deletion_not_requested`, and `client_deleting` once the deletion is confirmed.
    """
    locked = _requested(client)
    if locked.deletion_confirmed_at is not None:
        raise Refusal("client_deleting", f"The deletion of {locked.name} was confirmed; it is under way.")
    _record("cancel_deletion", locked)
    _set(locked, deletion_requested_at=None)
    return locked


def _locked(client: Client) -> Client:
    locked: Client = lock_row(Client.objects.all(), client.pk)
    return locked


def _requested(client: Client) -> Client:
    locked = _locked(client)
    if locked.deletion_requested_at is None:
        raise Refusal("deletion_not_requested", f"Ask for it first: DELETE /api/clients/{locked.pk}/.")
    return locked


def _set(client: Client, **values: datetime | None) -> None:
    for name, value in values.items():
        setattr(client, name, value)
    client.save(update_fields=[*values, "updated_at"])


def _record(action: str, client: Client) -> None:
    details = {"name": client.name}
    record(action, resource="client", resource_id=client.pk, client_id=client.pk, details=details)
