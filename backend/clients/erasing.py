"""Removes a business whose deletion was confirmed, in small steps.

What belongs to it goes before it, and files before the rows that name them. The work may be stopped anywhere and run
again: what is left is found anew. The audit trail stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import models, transaction

from clients.models import Client
from common.tenancy import scope_of_client, system_scope

AT_ONCE = 200
"""Rows that one transaction removes."""


def confirmed() -> list[int]:
    """The keys of the businesses whose deletion was confirmed and is not done."""
    with system_scope("deletions are looked for in every business"):
        return list(Client.objects.exclude(deletion_confirmed_at=None).values_list("pk", flat=True))


def erase(*, client_id: int) -> bool:
    """Removes all that belongs to this business, then itself; returns whether it is gone.

    Leaves it to another process that is at it. Does nothing for a business whose deletion is not confirmed.
    """
    with scope_of_client(client_id):
        for model, key in owned_models():
            while (removed := _remove_some(client_id, model, key)) == AT_ONCE:
                pass
            if removed is None:
                return not Client.objects.filter(pk=client_id).exists()
        return _remove_client(client_id)


def owned_models() -> Iterator[tuple[type[models.Model], str]]:
    """The models whose rows go with their business, each with its key to it: what stands on others comes first.

    Those that only keep its number (the audit trail) are not among them.
    """
    keys: dict[Any, str] = {
        relation.related_model: relation.field.name
        for relation in Client._meta.get_fields(include_hidden=True)
        if isinstance(relation, models.ManyToOneRel) and relation.on_delete is models.CASCADE
    }
    for model in reversed(list(apps.get_models())):  # in the order of the stack of apps, from its roof
        if model in keys:
            yield model, keys[model]


@transaction.atomic
def _remove_some(client_id: int, model: type[models.Model], key: str) -> int | None:
    """Removes up to AT_ONCE rows and their files; returns how many, None when that is not ours to do."""
    if not _is_ours(client_id):
        return None
    # In no order: to sort a ledger of millions for each step would take longer than all of the steps.
    rows = list(model._base_manager.filter(**{f"{key}_id": client_id}).order_by()[:AT_ONCE])
    for row in rows:
        for field in model._meta.concrete_fields:
            name = field.value_from_object(row) if isinstance(field, models.FileField) else None
            if name:
                field.storage.delete(str(name))  # type: ignore[attr-defined]  # of a FileField
    model._base_manager.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


@transaction.atomic
def _remove_client(client_id: int) -> bool:
    client = _is_ours(client_id)
    if client is not None:
        client.delete()
    return client is not None


def _is_ours(client_id: int) -> Client | None:
    """The business, its row locked, if its deletion is confirmed and nobody else is at work on it."""
    rows = Client.objects.select_for_update(skip_locked=True).exclude(deletion_confirmed_at=None)
    found: Client | None = rows.filter(pk=client_id).first()
    return found
