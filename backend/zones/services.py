"""Changes of floors. The server decides what is premium: a business's first floor is free, further ones are not."""

from __future__ import annotations

from datetime import time
from typing import Any

from django.db import transaction

from clients.models import Client
from clients.selectors import locked_for_update
from common.errors import Refusal
from common.validators import field_error
from users.models import User
from zones.models import Floor


@transaction.atomic
def create_floor(*, client: Client, by: User, name: str, **fields: Any) -> Floor:
    """A floor of this business. `fields` are the other columns that a person may set.

    Raises Refusal `floor_limit` when the plan's floors are used up: the business's row is locked while they
    are counted, so that two requests cannot both take the last one. Raises `ValidationError` for a name in
    use, volumes or quiet hours that contradict each other.
    """
    client = locked_for_update(client.pk)
    used, allowed = Floor.objects.filter(client=client).count(), client.floors_allowed
    if used >= allowed:
        raise Refusal(
            "floor_limit",
            f"Your plan has {_floors(allowed)}, in use already. Ask sync2gear for more, or remove one first.",
            floors_allowed=allowed,
            floors_used=used,
        )
    floor = Floor(client=client, created_by=by, name=name, **fields)
    floor.is_premium = Floor.objects.filter(client=client, is_premium=False).exists()
    _save(floor)
    return floor


@transaction.atomic
def update_floor(*, floor: Floor, **changes: Any) -> Floor:
    """Changes what a person may set. Raises `ValidationError` as `create_floor` does."""
    for field, value in changes.items():
        setattr(floor, field, value)
    _save(floor)
    return floor


@transaction.atomic
def delete_floor(*, floor: Floor) -> None:
    """Removes a floor. Its devices and floor users stay, without a floor.

    When it was the free one, the oldest that remains becomes free.
    """
    client = locked_for_update(floor.client_id)
    was_free = not floor.is_premium
    floor.delete()
    heir = Floor.objects.filter(client=client).order_by("created_at", "pk").first()
    if was_free and heir is not None:
        heir.is_premium = False
        heir.save(update_fields=["is_premium"])


def _save(floor: Floor) -> None:
    _volumes_fit(floor.min_volume, floor.default_volume, floor.max_volume)
    _quiet_hours_fit(floor.quiet_hours_start, floor.quiet_hours_end)
    if Floor.objects.filter(client_id=floor.client_id, name=floor.name).exclude(pk=floor.pk).exists():
        raise field_error("name", "unique", "There is a floor with this name already.")
    # A floor may have been made by nobody (`created_by` null), which forms would not let pass.
    floor.full_clean(exclude={"created_by"}, validate_unique=False, validate_constraints=False)
    floor.save()


def _volumes_fit(least: int, default: int, most: int) -> None:
    if least > most:
        raise field_error(
            "min_volume", "volume_range", f"The least volume ({least}) is above the greatest ({most})."
        )
    if not least <= default <= most:
        raise field_error(
            "default_volume",
            "volume_range",
            f"The default volume ({default}) must lie within {least} to {most}.",
        )


def _quiet_hours_fit(start: time | None, end: time | None) -> None:
    if (start is None) != (end is None):
        missing = "quiet_hours_start" if start is None else "quiet_hours_end"
        raise field_error(missing, "quiet_hours", "Quiet hours need both a start and an end, or neither.")
    if start is not None and start == end:
        raise field_error(
            "quiet_hours_end",
            "quiet_hours",
            "Quiet hours that start and end at the same time are neither all day nor never.",
        )


def _floors(number: int) -> str:
    return "one floor" if number == 1 else f"{number} floors"
