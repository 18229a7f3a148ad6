"""What people of a shop do in every journey, by the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from journeys import lab


def hang_up_a_speaker(
    owner: lab.Person, server: lab.Server, floor: int, folder: Path, name: str
) -> tuple[Any, Any]:
    """A device made by hand, and the speaker that has its token."""
    device = owner.call("POST", "/api/devices/", expect=201, json={"name": name, "floor": floor})
    return device, lab.Speaker(folder, server.url, device["token"]).start()


def online(owner: lab.Person, device: Any, *, clock_error_ms: float = 50.0) -> bool:
    """Whether the server hears from the device, and the device claims to know the time this well."""
    status = owner.get(f"/api/devices/{device['id']}/status/")
    clock = status["reported"].get("clock") or {}
    known = clock.get("state") == "synced" and clock["error_us"] <= clock_error_ms * 1000
    return bool(status["status"] == "online" and known)


def music_plays(owner: lab.Person, device: Any) -> bool:
    """Whether the device says that a track sounds."""
    playing = owner.get(f"/api/devices/{device['id']}/status/")["reported"].get("now_playing") or {}
    return bool(playing.get("kind") == "music")


def speak(owner: lab.Person, text: str) -> Any:
    """An announcement made from typed text, when it is ready."""
    answer = owner.call(
        "POST", "/api/announcements/tts/generate/", expect=202, json={"title": "Bakery", "text": text}
    )
    path = f"/api/announcements/{answer['id']}/"
    ready = lab.wait_for("speech", lambda: (a := owner.get(path))["status"] != "generating" and a)
    assert ready["status"] == "ready", ready
    return ready


def once_a_day(announcement: int, floor: int, due: int) -> dict[str, Any]:
    """A timeline of a whole day that speaks at the instant `due` (s), on a floor in UTC."""
    return {
        "name": "Wet floor",
        "schedule_type": "timeline",
        "cycle_duration_minutes": 24 * 60,
        "schedule_announcements": [{"announcement": announcement, "timestamp_seconds": due % 86_400}],
        "floors": [floor],
    }
