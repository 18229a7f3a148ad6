"""A speaker is cut off, and meanwhile its schedule is removed: what it plays by its old plan is on the record."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from journeys import lab
from journeys.acts import once_a_day, online, speak
from journeys.jitter import JitterProxy

pytestmark = pytest.mark.system

BEYOND_THE_TICK_S = 115
"""Rows are written 90 s ahead: what is due later has none when its schedule is removed."""


def test_a_rule_that_was_removed_while_the_speaker_was_away(
    server: lab.Server,
    tmp_path: Path,
) -> None:
    owner = lab.register(server)
    floor = owner.call("POST", "/api/floors/", expect=201, json={"name": "Ground", "timezone": "UTC"})["id"]
    words = speak(owner, "Please mind the wet floor.")
    device = owner.call("POST", "/api/devices/", expect=201, json={"name": "Door", "floor": floor})
    proxy = JitterProxy(server.port, lambda rng: 0.0)
    speaker = lab.Speaker(tmp_path / "speaker", f"http://127.0.0.1:{proxy.port}", device["token"]).start()
    with lab.stopped_at_the_end([speaker]):
        lab.wait_for("the speaker online", lambda: online(owner, device))
        due = int(time.time()) + BEYOND_THE_TICK_S
        schedule = owner.call("POST", "/api/schedules/", expect=201, json=once_a_day(words["id"], floor, due))
        sound = lambda: any(path.name == words["sha256"] for path in speaker.folder.rglob("*"))  # noqa: E731
        lab.wait_for("the words in its cache", sound)
        proxy.cut()
        owner.call("DELETE", f"/api/schedules/{schedule['id']}/", expect=204)
        assert owner.get("/api/play-events/")["results"] == [], "the tick had written its row already"
        time.sleep(due + 8 - time.time())
        proxy.mend()
        events = lambda: [e for e in owner.get("/api/play-events/")["results"] if e["completed_at"]]  # noqa: E731
        (event,) = lab.wait_for("its receipt", events, seconds=90)
        speaker.stop()
    proxy.stop()
    assert (event["status"], event["announcement_title"]) == ("completed", words["title"])
    assert (event["announcement"], event["device"], event["floor"]) == (words["id"], device["id"], floor)
    assert (event["event_type"], event["priority"]) == ("scheduled", "timeline")
    assert abs(lab.instant_us(event["play_at"]) - due * 1e6) < 1
    clip = lab.decoded(owner.http.get(f"/api/announcements/{words['id']}/stream/").content)
    heard = lab.Capture.of(speaker.wav).find(clip[: lab.RATE], around_us=due * 1e6)
    assert heard.score > 0.8, "it was not heard"
