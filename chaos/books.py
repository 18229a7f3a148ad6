"""Reads at the end what stands in the database, by plain SQL: the judge must not believe the product's own code."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from chaos.footprint import Footprint
from chaos.records import Books, Event

EVENTS = """
SELECT e.id::text, e.play_id::text AS play, COALESCE(e.device_id, 0) AS device, e.client_id AS client,
       COALESCE(a.client_id, 0) AS announcement_client, e.event_type = 'scheduled' AS scheduled, e.priority,
       e.status, e.reason, e.outcome, e.play_at, e.created_at, e.started_at,
       (SELECT count(DISTINCT (c.status, c.reason)) FROM play_event_changes c
         WHERE c.event_id = e.id AND c.status IN ('completed', 'failed') AND NOT c.correction) AS endings
FROM play_events e LEFT JOIN announcements a ON a.id = e.announcement_id
"""
TRAIL = "SELECT request_id, action, details FROM audit_logs WHERE request_id LIKE %s"
SOUNDS = "SELECT id, client_id, status FROM announcements"
WAITING = (
    "SELECT (SELECT count(*) FROM play_events WHERE status IN ('pending', 'delivered', 'playing') AND play_at < %s)"
    " + (SELECT count(*) FROM announcements WHERE status IN ('generating', 'processing'))"
)


def waiting(database_url: str, before: datetime) -> int:
    """How many events due `before` have not ended, and how many sounds are not ready yet."""
    with psycopg.connect(database_url) as database:
        row = database.execute(WAITING, [before]).fetchone()
        return int(row[0]) if row is not None else 0


def read(footprint: Footprint, orders: str) -> Books:
    """All of it; `orders` is how the requests of this run begin."""
    with psycopg.connect(footprint.database_url, row_factory=dict_row) as database:
        rows = database.execute(EVENTS).fetchall()
        trail = database.execute(TRAIL, [f"{orders}-%"]).fetchall()
        sounds = database.execute(SOUNDS).fetchall()
    audited: dict[str, tuple[str, str]] = {}
    plays: dict[str, set[str]] = {}
    for entry in trail:
        play = json.loads(entry["details"]).get("play_id", "") if entry["action"] == "play" else ""
        audited[entry["request_id"]] = (entry["action"], play)
        if play:
            plays.setdefault(entry["request_id"].rpartition("-")[0], set()).add(play)
    verified = footprint.manage("verify_audit")
    return Books(
        events={row["id"]: _event(row) for row in rows},
        audited=audited,
        plays_ordered=plays,
        sounds={row["id"]: (row["client_id"], row["status"]) for row in sounds},
        trail_intact=verified.returncode == 0,
        trail_said=verified.stderr[-500:],
    )


def _event(row: dict[str, Any]) -> Event:
    for name in ("play_at", "created_at", "started_at"):
        row[name] = None if row[name] is None else round(row[name].timestamp() * 1e6)
    return Event(**row)
