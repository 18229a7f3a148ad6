"""Reads about businesses."""

from __future__ import annotations

from typing import Any

from clients.models import Client
from common.tenancy import scope_of_client, system_scope


def floors_used(client: Client) -> int:
    """How many floors this business has, whatever part of them the caller may see."""
    floors: Any = client.floors  # a relation of an app above
    with scope_of_client(client.pk):
        return int(floors.count())


def email_is_a_clients(email: str) -> bool:
    """Whether a business is registered with this address, in any case."""
    with system_scope("an address is used once among all businesses"):
        return bool(Client.objects.filter(email__iexact=email).exists())


def locked_for_update(client_id: int) -> Client:
    """The business, its row locked until the transaction ends: for rules that count its rows before they write.

    Raises `Client.DoesNotExist`.
    """
    with scope_of_client(client_id):
        client: Client = Client.objects.select_for_update().get(pk=client_id)
    return client
