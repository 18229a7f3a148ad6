"""What tests of people share: the password of the fixtures' people, the audit trail, and races."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any

from django.db import connections

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


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Runs the calls on threads of their own that start together; their results, or what they raised."""
    start = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            start.wait(timeout=30)
            return call()
        except Exception as error:  # noqa: BLE001  # what it raised is the result that the test looks at
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=len(calls)) as pool:
        return list(pool.map(run, calls))


def token_in(mail: str) -> str:
    """The token of the link in a mail."""
    (token,) = re.findall(r"#token=(\S+)", mail)
    return str(token)
