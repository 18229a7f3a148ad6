"""1,000,000 entries of the audit trail exported over HTTP, on PostgreSQL: entries a second, and how the server grows.

Baseline in the same run, on the same rows: `COPY … TO STDOUT (FORMAT csv)` read by this process, with no server of
ours, no check of cells and no HTTP. The same trail is sealed and verified besides, as the periodic work and
`manage.py verify_audit` do it, and adding one entry is compared with a bare INSERT of its row.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "backend"), str(ROOT / "player" / "src")]

import httpx  # noqa: E402  # the paths above come first
from ground import database, execute  # noqa: E402
from journeys import lab  # noqa: E402

ADDED = 500
"""Entries and bare rows that are added one at a time."""


def filled(count: int) -> str:
    """`count` entries of one business over a year, each with its true digest; an access token of its admin."""
    from django.db import connection
    from rest_framework_simplejwt.tokens import RefreshToken

    from audit.domain.chain import digest_of
    from audit.models import SAID, AuditLog
    from clients.models import Client
    from common import clock
    from common.tenancy import system_scope
    from users.models import User

    with system_scope("a bench fills the tables"):
        client = Client.objects.create(
            name="Shop", business_name="Shop", email="a@example.com", status="active"
        )
        admin = User.everyone.create_user("olivia@example.com", role="client", client=client)
    begun = clock.now() - timedelta(days=365)
    step = timedelta(days=365) / count
    actions = ("update", "play", "control", "login", "create", "volume", "toggle", "delete")
    entry = AuditLog(
        user_id=admin.pk, client_id=client.pk, resource="device", ip_address="10.0.0.1",
        actor_name=admin.username, client_name=client.name, request_id="0" * 32,
    )  # fmt: skip
    columns = (*SAID, "digest", "hash")
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY audit_logs ({', '.join(columns)}) FROM STDIN") as copy,
    ):
        for number in range(count):
            entry.timestamp = begun + number * step
            entry.action = actions[number % len(actions)]
            entry.resource_id = str(number % 5000)
            entry.details = json.dumps(
                {"before": {"name": f"Till {number}"}, "after": {"name": f"Desk {number}"}}
            )
            said = {name: getattr(entry, name) for name in SAID}
            copy.write_row([*said.values(), digest_of(said), ""])
    execute("VACUUM ANALYZE audit_logs")
    return str(RefreshToken.for_user(admin).access_token)


def memory_kb(pid: int, line: str) -> int:
    """`VmRSS` (now) or `VmHWM` (the most there was) of a process, kB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition(f"{line}:")[2].split()[0])


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what came of it."""
    begun = time.perf_counter()
    result = work()
    return time.perf_counter() - begun, result


def downloaded(server: lab.Server, token: str, query: str) -> tuple[int, int]:
    """Bytes and lines of an export."""
    size = lines = 0
    url, headers = f"{server.url}/api/audit-logs/export/?{query}", {"Authorization": f"Bearer {token}"}
    with httpx.stream("GET", url, headers=headers, timeout=600) as answer:
        assert answer.status_code == 200, answer.read()
        for chunk in answer.iter_raw():
            size += len(chunk)
            lines += chunk.count(b"\n")
    return size, lines


def copied() -> tuple[int, int]:
    """The baseline: bytes and rows."""
    from django.db import connection

    statement = "COPY (SELECT * FROM audit_logs ORDER BY timestamp, id) TO STDOUT (FORMAT csv)"
    size = lines = 0
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for chunk in copy:
            size += len(chunk)
            lines += bytes(chunk).count(b"\n")
    return size, lines


def exported(count: int, token: str) -> dict[str, dict[str, float]]:
    """Rates of each format and of the baseline; for ours also the growth of the server over its idle size."""
    rows: dict[str, dict[str, float]] = {}
    environ = {
        "DATABASE_URL": os.environ["SYNC2GEAR_TEST_DATABASE_URL"],
        "REDIS_URL": os.environ["SYNC2GEAR_TEST_REDIS_URL"],
        "SECRET_KEY": os.environ["SECRET_KEY"],
        "ENCRYPTION_KEYS": os.environ["ENCRYPTION_KEYS"],
    }
    with tempfile.TemporaryDirectory() as folder:
        server = lab.Server(Path(folder), environ=environ).start()
        try:
            assert server.process is not None
            pid = server.process.pid
            for wanted in ("csv", "jsonl"):
                downloaded(server, token, f"format={wanted}&resource_id=1")
                idle = memory_kb(pid, "VmRSS")
                taken, (size, lines) = timed(
                    lambda wanted=wanted: downloaded(server, token, f"format={wanted}")
                )
                assert lines >= count, lines
                rows[wanted] = rate(lines, taken, size) | {
                    "growth_mb": round(max(0, memory_kb(pid, "VmHWM") - idle) / 1024, 1)
                }
        finally:
            server.stop()
    taken, (size, lines) = timed(copied)
    rows["bare COPY"] = rate(lines, taken, size)
    return rows


def rate(rows: int, taken: float, size: int = 0) -> dict[str, float]:
    """Entries a second, s and MB."""
    return {"per_s": round(rows / taken), "s": round(taken, 2), "mb": round(size / 1e6, 1)}


def chained(count: int) -> dict[str, dict[str, float]]:
    """Sealing and verifying the whole trail."""
    from audit import sealing, verification
    from audit.domain.chain import BEGINNING
    from common import clock

    taken, sealed = timed(lambda: sealing.seal(now=clock.now()))
    assert sealed >= count
    execute("VACUUM ANALYZE audit_logs")
    rows = {"seal": rate(sealed, taken)}

    def verified() -> int:
        read = 0
        for chain in verification.chains():
            head = verification.head_of(chain)
            assert list(verification.verify(chain, start=BEGINNING, head=head)) == []
            read += head.number
        return read

    taken, read = timed(verified)
    return rows | {"verify": rate(read, taken)}


def added() -> dict[str, dict[str, float]]:
    """Entries one at a time, each a transaction, and bare rows of the same columns into a table without all that."""
    from audit.services import record

    execute(
        "CREATE TABLE bare AS SELECT user_id, real_user_id, client_id, action, resource, resource_id, details,"
        " ip_address, timestamp, actor_name, real_actor_name, client_name, request_id FROM audit_logs LIMIT 1"
    )
    execute("ALTER TABLE bare ADD id bigserial PRIMARY KEY")
    names = (
        "user_id, real_user_id, client_id, action, resource, resource_id, details, ip_address, timestamp,"
        " actor_name, real_actor_name, client_name, request_id"
    )
    bare = f"INSERT INTO bare ({names}) SELECT {names} FROM bare WHERE id = 1"  # noqa: S608  # our own names
    rows = {}
    for name, work in (
        (
            "one entry",
            lambda: record("play", resource="device", resource_id=7, client_id=1, details={"a": "b"}),
        ),
        ("bare INSERT", lambda: execute(bare)),
    ):
        work()
        taken, _ = timed(lambda work=work: [work() for _ in range(ADDED)])
        rows[name] = rate(ADDED, taken) | {"ms_each": round(taken / ADDED * 1e3, 3)}
    return rows


def main() -> None:
    """Prints one JSON line and a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--entries", type=int, default=1_000_000)
    count = options.parse_args().entries
    with database():
        token = filled(count)
        rows = exported(count, token) | chained(count) | added()
    print(json.dumps({"bench": "audit_export", "entries": count, **rows}))
    print(f"{'':14}{'entries/s':>12}{'s':>9}{'MB':>9}{'growth MB':>12}{'ms each':>10}")
    for name, row in rows.items():
        growth, each = row.get("growth_mb", ""), row.get("ms_each", "")
        print(f"{name:14}{row['per_s']:12.0f}{row['s']:9.2f}{row['mb']:9.1f}{growth:>12}{each:>10}")


if __name__ == "__main__":
    main()
