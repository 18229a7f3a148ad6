"""A locked business reads, and writes nothing: walks every route that changes something, as its own admin."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clients.models import Client
from common import clock
from common.tenancy import system_scope
from core.tests.test_permissions import LINES, Line, ask

pytestmark = pytest.mark.django_db

WORKS_ALL_THE_SAME = {
    "POST auth/register/": "another business's beginning",
    "POST auth/login/": "people read, so they sign in",
    "POST auth/refresh/": "and stay signed in",
    "POST auth/logout-everywhere/": "and sign out, wherever they are",
    "POST auth/ws-ticket/": "a page that reads is kept up to date",
    "POST auth/password-reset/": "and get in again",
    "PATCH auth/me/": "one's own account is not the business's: a leaked password is changed at any time",
    "DELETE auth/me/avatar/": "as above",
    "POST devices/pair/": "a speaker that nobody has claimed belongs to no business",
    "POST schedules/preview/": "it writes nothing",
    "POST floors/{floor}/stop/": "silence is never refused",
    "POST play-events/cancel/": "nor is the end of a play",
    "POST play-events/{event}/cancel/": "as above",
}
"""What changes something and is open to a locked business's admin, and why."""

LOCKS: dict[str, tuple[dict[str, Any], int, str]] = {
    "trial over": ({"status": "trial", "trial_ends_at": -1}, 402, "trial_ended"),
    "suspended": ({"status": "suspended"}, 403, "client_suspended"),
    "suspended by its trial": (
        {"status": "suspended", "subscription_status": "trial_ended", "trial_ends_at": -1},
        402,
        "trial_ended",
    ),
}


def admin_s_answer(line: Line) -> str:
    """What an open business's admin gets on their own things."""
    return line.answers.split("|")[2].split()[0]


def name_of(line: Line) -> str:
    return f"{line.method} {line.path}"


WRITES = [line for line in LINES if line.method != "GET" and admin_s_answer(line).startswith("2")]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_write_is_refused_and_every_read_answered(world: dict[str, Any], lock: str) -> None:
    columns, status, code = LOCKS[lock]
    days = columns.get("trial_ends_at")
    if days is not None:
        columns = columns | {"trial_ends_at": clock.now() + timedelta(days=days)}
    with system_scope("the business under test is locked"):
        Client.objects.filter(pk=world["columns"]["own"].values["client"]).update(**columns)
    wrong = {}
    for line in LINES:
        open_answer = admin_s_answer(line)
        if not open_answer.startswith("2"):
            continue
        locked = line in WRITES and name_of(line) not in WORKS_ALL_THE_SAME
        expected = str(status) if locked else open_answer
        got = ask(world, line, "client admin", "own")
        if got != expected:
            wrong[name_of(line)] = f"{got}, not {expected}"
    assert wrong == {}
    answer = world["callers"]["client admin"].post("/api/floors/", {"name": "New"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_every_exemption_is_one() -> None:
    assert WORKS_ALL_THE_SAME.keys() - {name_of(line) for line in WRITES} == set(), "stale"
