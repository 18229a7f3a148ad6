"""The ticket by which a page opens its socket: single-use, 60 s. A browser cannot set headers on a WebSocket, and a
token in a URL would stand in logs; so a page trades its access token for this.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache

from common.crypto import fingerprint

TICKET_LIFETIME_S = 60


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket stands for: the claims of the access token, and the business that is looked at."""

    claims: dict[str, Any]
    client: int


def issue(*, claims: Mapping[str, Any], client: int) -> str:
    """A ticket for one connection."""
    ticket = secrets.token_urlsafe(24)
    cache.set(_key(ticket), {"claims": dict(claims), "client": client}, TICKET_LIFETIME_S)
    return ticket


def redeem(ticket: str) -> Ticket | None:
    """What it stands for, once: of two that come at the same time only one deletes the entry."""
    found = cache.get(_key(ticket))
    return Ticket(**found) if found is not None and cache.delete(_key(ticket)) else None


def _key(ticket: str) -> str:
    return f"dashboard-ticket:{fingerprint(ticket)}"
