"""Old plays removed from millions of them, on PostgreSQL with fsync: rows a second, and what those who write notice.

While it removes, as the periodic work does it (a thousand plays in a transaction, with their history), another
connection writes five plays and their history in a transaction, 20 times a second, as a tick does. The baseline, in
turn with it in the same run: the same writing while nothing is removed.
"""

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "backend")]

from ground import database, execute  # noqa: E402  # the paths above come first
from ground.millions import LASTING, NOW, Size, arguments, filled  # noqa: E402

EVERY_S = 0.05
"""How often plays are written meanwhile."""


class Writer(threading.Thread):
    """Writes five plays with their history, again and again; keeps how long each took, ms."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.enough = threading.Event()
        self.taken: list[float] = []

    def run(self) -> None:
        """Until it is enough."""
        from django.db import connection, transaction

        execute("DROP TABLE IF EXISTS five")  # of the round before: the pool hands its connection out again
        execute("CREATE TEMP TABLE five AS SELECT * FROM play_events ORDER BY created_at DESC LIMIT 5")
        due = time.perf_counter()
        while not self.enough.is_set():
            begun = time.perf_counter()
            with transaction.atomic():
                execute("UPDATE five SET id = gen_random_uuid(), created_at = created_at + interval '1 ms'")
                execute("INSERT INTO play_events SELECT * FROM five")
                execute(
                    "INSERT INTO play_event_changes (event_id, at, status, reason, source, correction, detail)"
                    " SELECT id, created_at, 'pending', '', 'server', false, '{}' FROM five"
                )
            self.taken.append((time.perf_counter() - begun) * 1e3)
            due = max(due + EVERY_S, time.perf_counter())
            self.enough.wait(due - time.perf_counter())
        connection.close()


class Watcher(threading.Thread):
    """Looks every 10 ms whether somebody waits for a lock of a row or table; keeps the longest wait, ms."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.enough = threading.Event()
        self.longest = 0.0

    def run(self) -> None:
        """Until it is enough."""
        from django.db import connection

        with connection.cursor() as cursor:
            while not self.enough.wait(0.01):
                cursor.execute("SELECT max(clock_timestamp() - waitstart) FROM pg_locks WHERE NOT granted")
                [[waited]] = cursor.fetchall()
                if waited is not None:
                    self.longest = max(self.longest, waited.total_seconds() * 1e3)
        connection.close()


def worked(model: str, *, before: datetime, seconds: float, rest: float) -> dict[str, float]:
    """Removes for so long, while plays are written; rates and times."""
    from core import retention

    kept = next(each for each in retention.TABLE if each.model == model)
    work = kept.remove(before + (kept.time or timedelta()))
    writer, watcher = Writer(), Watcher()
    batches: list[float] = []
    removed = 0
    writer.start()
    watcher.start()
    begun = time.perf_counter()
    while time.perf_counter() < begun + seconds:
        step = time.perf_counter()
        batch = next(work, None) if rest >= 0 else 0
        if batch is None:
            break
        removed += batch
        taken = time.perf_counter() - step
        if rest >= 0:
            batches.append(taken * 1e3)
        time.sleep(rest * taken if rest >= 0 else EVERY_S)
    spent = time.perf_counter() - begun
    for thread in (writer, watcher):
        thread.enough.set()
        thread.join()
    ranked = sorted(writer.taken)
    return {
        "removed": removed,
        "per_s": round(removed / spent),
        "batch_ms": round(statistics.median(batches), 1) if batches else 0.0,
        "longest_batch_ms": round(max(batches, default=0.0), 1),
        "longest_lock_wait_ms": round(watcher.longest, 1),
        "insert_p50_ms": round(statistics.median(ranked), 1),
        "insert_p99_ms": round(ranked[int(len(ranked) * 0.99)], 1),
    }


def sizes() -> dict[str, dict[str, float]]:
    """Of each log: rows, and bytes a row in the table and in its indexes."""
    from django.db import connection

    found = {}
    with connection.cursor() as cursor:
        for table in (
            "play_events",
            "play_event_changes",
            "schedule_occurrences",
            "music_plays",
            "audit_logs",
        ):
            cursor.execute(
                f"SELECT count(*), pg_relation_size('{table}'), pg_indexes_size('{table}') FROM {table}"  # noqa: S608  # our own names
            )
            rows, heap, indexes = cursor.fetchone()
            found[table] = {"rows": rows, "bytes": round(heap / rows), "index_bytes": round(indexes / rows)}
    return found


def main() -> None:
    """Prints one JSON line and a table."""
    options = arguments(__doc__)
    options.add_argument("--seconds", type=float, default=8.0, help="of each measurement")
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    with database(chosen.data, LASTING):
        filled(Size(events=chosen.events, history=chosen.events, clients=chosen.clients))
        from common.tenancy import system_scope

        told = sizes()
        half = NOW - timedelta(days=200)
        cases: dict[str, tuple[str, float]] = {
            "nothing removed": ("events.PlayEvent", -1.0),
            "plays, resting": ("events.PlayEvent", 1.0),
            "plays, without rest": ("events.PlayEvent", 0.0),
            "history, resting": ("events.PlayEventChange", 1.0),
        }
        measured: dict[str, list[dict[str, Any]]] = {name: [] for name in cases}
        with system_scope("a bench removes old rows"):
            for _ in range(chosen.rounds):
                for name, (model, rest) in cases.items():
                    measured[name].append(worked(model, before=half, seconds=chosen.seconds, rest=rest))
    rows = {
        name: {figure: statistics.median(each[figure] for each in runs) for figure in runs[0]}
        for name, runs in measured.items()
    }
    for name, runs in measured.items():
        for figure in ("longest_batch_ms", "longest_lock_wait_ms"):
            rows[name][figure] = max(each[figure] for each in runs)
    print(
        json.dumps(
            {"bench": "retention", "events": chosen.events, "rounds": chosen.rounds, **rows, "sizes": told}
        )
    )
    for name, row in rows.items():
        print(f"{name:24}" + "  ".join(f"{figure} {value:g}" for figure, value in row.items()))
    for table, row in told.items():
        print(f"{table:24}" + "  ".join(f"{figure} {value:g}" for figure, value in row.items()))


if __name__ == "__main__":
    main()
