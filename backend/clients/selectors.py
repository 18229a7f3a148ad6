"""Reads about businesses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from clients.models import Client
from common.rows import lock_row
from common.tenancy import scope_of_client, system_scope


def floors_used(client: Client) -> int:
    """How many floors this business has, whatever part of them the caller may see."""
    floors: Any = client.floors  # a relation of an app above
    with scope_of_client(client.pk):
        return int(floors.count())


def email_is_a_clients(email: str, *, except_pk: int | None = None) -> bool:
    """Whether a business (but the one named) is registered with this address, in any case."""
    with system_scope("an address is used once among all businesses"):
        registered = Client.objects.filter(email__iexact=email)
        if except_pk is not None:
            registered = registered.exclude(pk=except_pk)
        return bool(registered.exists())


def locked_for_update(client_id: int) -> Client:
    """The business, its row locked until the transaction ends: for rules that count its rows before they write.

    Raises Refusal `not_found`.
    """
    with scope_of_client(client_id):
        client: Client = lock_row(Client.objects.all(), client_id)
    return client


def with_counts(clients: QuerySet[Client], *, now: datetime) -> QuerySet[Client]:
    """Each business with `floors_count`, `devices_count`, `devices_online` (the lease runs at `now`) and
    `users_count`, in the same query."""
    devices = _rows_of("devices")
    return clients.annotate(
        floors_count=_number_of(_rows_of("floors")),
        devices_count=_number_of(devices),
        devices_online=_number_of(devices.online(now)),
        users_count=_number_of(_rows_of("users")),
    )


def _rows_of(relation: str) -> Any:
    """The rows of an app above this one, asked of through the relation."""
    model: Any = Client._meta.get_field(relation).related_model
    return model.objects.all()


def _number_of(rows: Any) -> Coalesce:
    """How many of these rows belong to the business of the outer query."""
    per_client = rows.filter(client=OuterRef("pk")).order_by().values("client").annotate(number=Count("pk"))
    return Coalesce(Subquery(per_client.values("number"), output_field=IntegerField()), 0)
