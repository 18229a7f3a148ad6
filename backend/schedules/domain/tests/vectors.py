"""Reads the vector file, and builds the engine's values from its JSON (see ../vectors/README.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, time
from pathlib import Path
from typing import Any

from playlists.domain import AnnouncementItem, Channel, Kind, MusicItem, Playlist, Segment
from schedules.domain import (
    Candidate,
    Claim,
    DateRange,
    FloorRules,
    Occurrence,
    Priority,
    ScheduleRule,
    interval_rule,
    timeline_rule,
)
from zones.domain import QuietHours, Span, Stop, from_us, load_zone, quiet_hours

PATH = Path(__file__).parent.parent / "vectors" / "engine.json"
Spec = dict[str, Any]


def cases() -> list[Spec]:
    """All cases of the file, in order."""
    loaded: list[Spec] = json.loads(PATH.read_text(encoding="utf-8"))["cases"]
    return loaded


def quiet(spec: Spec | None) -> QuietHours | None:
    """{"start", "end", "days"?}."""
    if spec is None:
        return None
    start, end = (None if spec[edge] is None else time.fromisoformat(spec[edge]) for edge in ("start", "end"))
    if "days" in spec and start is not None and end is not None:
        return QuietHours(start, end, frozenset(spec["days"]))
    return quiet_hours(start, end)


def candidate(spec: Spec) -> Candidate:
    """{"id", "enabled"?, "valid_from"?, "valid_until"?}."""
    return Candidate(spec["id"], spec.get("enabled", True), spec.get("valid_from"), spec.get("valid_until"))


def schedule(spec: Spec) -> ScheduleRule:
    """A schedule of either type."""
    common: Spec = {
        "active_days": spec.get("active_days", ()),
        "exceptions": [
            DateRange(date.fromisoformat(first), date.fromisoformat(last))
            for first, last in spec.get("exceptions", ())
        ],
        "quiet": quiet(spec.get("quiet")),
        "avoid_repeat": spec.get("avoid_repeat", True),
        "enabled": spec.get("enabled", True),
    }
    announcements = spec["announcements"]
    if spec["type"] == "interval":
        return interval_rule(spec["id"], spec["interval_minutes"], map(candidate, announcements), **common)
    marks = [(a["timestamp_seconds"], candidate(a)) for a in announcements]
    return timeline_rule(spec["id"], spec["cycle_duration_minutes"], marks, **common)


def floor(spec: Spec, zone: str) -> FloorRules:
    """{"quiet"?, "stops"?, "locked"?, "least_gap_us"?}."""
    return FloorRules(
        zone=load_zone(zone),
        quiet=quiet(spec.get("quiet")),
        stops=tuple(Stop(start, until) for start, until in spec.get("stops", ())),
        locked=tuple(Span(start, end) for start, end in spec.get("locked", ())),
        least_gap_us=spec.get("least_gap_us", 0),
    )


def occurrence_row(occurrence: Occurrence, zone: str) -> list[Any]:
    """[schedule, at, local time, announcement, reason, by]."""
    local = from_us(occurrence.at, load_zone(zone)).replace(tzinfo=None).isoformat()
    reason = None if occurrence.reason is None else occurrence.reason.value
    return [
        occurrence.schedule_id,
        occurrence.at,
        local,
        occurrence.announcement_id,
        reason,
        occurrence.by,
    ]


def playlist(spec: Spec) -> Playlist:
    """A playlist of a channel."""
    fields = {k: v for k, v in spec.items() if k not in ("music", "announcements", "quiet")}
    return Playlist(
        music=tuple(MusicItem(asset=item["id"], **item) for item in spec.get("music", ())),
        announcements=tuple(
            AnnouncementItem(asset=item["id"], **item) for item in spec.get("announcements", ())
        ),
        quiet=quiet(spec.get("quiet")),
        **fields,
    )


def channel(spec: Spec) -> Channel:
    """{"floor_id", "zone", "quiet"?, "playlists"}."""
    return Channel(
        spec["floor_id"],
        load_zone(spec["zone"]),
        tuple(map(playlist, spec["playlists"])),
        quiet(spec.get("quiet")),
    )


def segment(row: list[Any]) -> Segment:
    """[start, end, kind, item, playlist, offset, fade in, fade out]."""
    start, end, kind, item, owner, offset, fade_in, fade_out = row
    return Segment(start, end, Kind(kind), item, item, owner, offset, fade_in, fade_out)


def segment_rows(segments: Iterable[Segment]) -> list[list[Any]]:
    """The inverse of `segment`, for all of them."""
    return [
        [
            s.start,
            s.end,
            s.kind.value,
            s.item_id,
            s.playlist_id,
            s.offset_us,
            s.fade_in_us,
            s.fade_out_us,
        ]
        for s in segments
    ]


def claim(spec: Spec) -> Claim:
    """{"event_id", "priority", "at", "duration_us", "expires_at", "started_at"?}."""
    return Claim(**{**spec, "priority": Priority[spec["priority"].upper()]})
