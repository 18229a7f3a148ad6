"""Reads what stands in the database, chapter by chapter, by plain SQL: the judge must not believe the product's code.

A chapter is what has come to rest since the last one. What has been read is noted beside the product's tables, in a
schema of its own, by the clock of PostgreSQL, which no fault steps.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from chaos.footprint import Footprint
from chaos.records import Answer, Books, Event

NOTES = """
CREATE SCHEMA chaos;
CREATE TABLE chaos.seen (
  id uuid PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(), judged boolean NOT NULL DEFAULT false);
CREATE INDEX ON chaos.seen (at) WHERE NOT judged
"""
NOTE = """
INSERT INTO chaos.seen (id) SELECT e.id FROM play_events e
 WHERE e.play_at > %s AND NOT EXISTS (SELECT FROM chaos.seen s WHERE s.id = e.id)
"""
EVENTS = """
SELECT e.id::text, e.play_id::text AS play, COALESCE(e.device_id, 0) AS device, e.client_id AS client,
       COALESCE(a.client_id, 0) AS announcement_client, e.event_type = 'scheduled' AS scheduled, e.priority,
       e.status, e.reason, e.outcome, e.play_at, e.created_at, e.started_at,
       (SELECT count(DISTINCT (c.status, c.reason)) FROM play_event_changes c
         WHERE c.event_id = e.id AND c.status IN ('completed', 'failed') AND NOT c.correction) AS endings
FROM chaos.seen s JOIN play_events e ON e.id = s.id LEFT JOIN announcements a ON a.id = e.announcement_id
WHERE NOT s.judged AND s.at < %(settled)s AND e.play_at < %(settled)s AND NOT e.id = ANY(%(held)s::uuid[])
"""
JUDGED = "UPDATE chaos.seen SET judged = true WHERE id = ANY(%s::uuid[])"
THERE = "SELECT id::text FROM play_events WHERE id = ANY(%s::uuid[])"
TRAIL = (
    "SELECT id, request_id, action, details FROM audit_logs WHERE id > %s AND request_id LIKE %s ORDER BY id"
)
SOUNDS = "SELECT id, client_id, status FROM announcements"
WAITING = (
    "SELECT (SELECT count(*) FROM play_events WHERE status IN ('pending', 'delivered', 'playing') AND play_at < %s)"
    " + (SELECT count(*) FROM announcements WHERE status IN ('generating', 'processing'))"
)
LOOK_BACK = timedelta(minutes=30)
"""More than a stepped clock may put an event into the past, and a round may last."""
OVERLAP = 5000
"""An entry of the trail may be committed after one with a greater id: so many are read twice."""
FOR_EVER = datetime.max.replace(tzinfo=UTC)


def waiting(database_url: str, before: datetime) -> int:
    """How many events due `before` have not ended, and how many sounds are not ready yet."""
    with psycopg.connect(database_url) as database:
        row = database.execute(WAITING, [before]).fetchone()
        return int(row[0]) if row is not None else 0


class Reader:
    """Reads the books of one run whose requests' ids begin with `orders`."""

    def __init__(self, footprint: Footprint, orders: str) -> None:
        self._footprint = footprint
        self._orders = orders
        self._last_entry = 0
        self._audited: dict[str, tuple[str, str]] = {}
        self._plays: dict[str, set[str]] = {}
        with psycopg.connect(footprint.database_url) as database:
            database.execute(NOTES)

    def read(self, answers: Iterable[Answer], settled: datetime | None, held: Collection[str] = ()) -> Books:
        """What was seen before `settled` and was due before it, but for what is `held`, and what the answers name.

        Without `settled` this is the last chapter: all that is left, and whether the trail is intact.
        """
        named = [event for answer in answers if answer.acknowledged for event in answer.events]
        with psycopg.connect(self._footprint.database_url, row_factory=dict_row) as database:
            database.execute(NOTE, [datetime.now(UTC) - LOOK_BACK])
            found = database.execute(EVENTS, {"settled": settled or FOR_EVER, "held": list(held)}).fetchall()
            database.execute(JUDGED, [[row["id"] for row in found]])
            there = frozenset(row["id"] for row in database.execute(THERE, [named]))
            self._trail(database)
            sounds = database.execute(SOUNDS).fetchall()
        verified = None if settled else self._footprint.manage("verify_audit")
        return Books(
            events={row["id"]: _event(row) for row in found},
            there=there,
            audited=self._audited,
            plays_ordered=self._plays,
            sounds={row["id"]: (row["client_id"], row["status"]) for row in sounds},
            trail_intact=verified is None or verified.returncode == 0,
            trail_said="" if verified is None else verified.stderr[-500:],
        )

    def _trail(self, database: psycopg.Connection[dict[str, Any]]) -> None:
        for entry in database.execute(TRAIL, [self._last_entry - OVERLAP, f"{self._orders}-%"]):
            self._last_entry = max(self._last_entry, entry["id"])
            play = json.loads(entry["details"]).get("play_id", "") if entry["action"] == "play" else ""
            self._audited[entry["request_id"]] = (entry["action"], play)
            if play:
                self._plays.setdefault(entry["request_id"].rpartition("-")[0], set()).add(play)


def _event(row: dict[str, Any]) -> Event:
    for name in ("play_at", "created_at", "started_at"):
        row[name] = None if row[name] is None else round(row[name].timestamp() * 1e6)
    return Event(**row)
