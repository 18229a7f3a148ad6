"""What tests of people share: the password of the fixtures' people, and reading the audit trail."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from audit.models import AuditLog
from common.tenancy import system_scope

PASSWORD = "correct horse battery"
"""Of every person whom the fixtures make."""


@dataclass(frozen=True)
class Entry:
    """One entry, without its time and key."""

    action: str
    resource: str
    resource_id: str
    client_id: int | None
    actor: str
    details: Any


def trail(*actions: str) -> list[Entry]:
    """The entries of these actions (none named: of all), oldest first."""
    with system_scope("the test reads the trail of every business"):
        rows = list(AuditLog.objects.order_by("pk"))
    return [
        Entry(
            row.action, row.resource, row.resource_id, row.client_id, row.actor_name, json.loads(row.details)
        )
        for row in rows
        if not actions or row.action in actions
    ]


def raw_trail() -> str:
    """The whole trail as text: to look for what must not be in it."""
    with system_scope("the test reads the trail of every business"):
        return json.dumps(list(AuditLog.objects.values()), default=str)
