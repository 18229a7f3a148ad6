"""Changes of businesses."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from clients.models import Client


@transaction.atomic
def open_trial(*, business_name: str, email: str, telephone: str, timezone: str, now: datetime) -> Client:
    """A new business on trial from `now` for the default number of days.

    Raises `ValidationError` for a value that the model refuses.
    """
    client = Client(
        name=business_name,
        business_name=business_name,
        email=email,
        telephone=telephone,
        timezone=timezone,
        status=Client.Status.TRIAL,
    )
    client.trial_ends_at = now + timedelta(days=client.trial_days)
    # The address is checked by whoever calls, among people too; the unique column holds in a race.
    client.full_clean(validate_unique=False, validate_constraints=False)
    client.save()
    return client


@transaction.atomic
def set_up_business(*, client: Client, **settings: Any) -> Client:
    """Changes what a business sets for itself: name, telephone, description, timezone, announcement_gap_minutes.

    Raises `ValidationError` for a value that the model refuses. Only these columns are written, so that a change
    of credits or status meanwhile is not undone.
    """
    locked: Client = Client.objects.select_for_update().get(pk=client.pk)
    for name, value in settings.items():
        setattr(locked, name, value)
    locked.full_clean(validate_unique=False, validate_constraints=False)
    if settings:
        locked.save(update_fields=[*settings, "updated_at"])
    return locked
