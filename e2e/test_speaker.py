"""A browser becomes a speaker: paired by its code, it plays, keeps its schedule without the server, and tells."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from journeys import lab
from journeys.acts import once_a_day, online, speak
from playwright.sync_api import Playwright, expect

from e2e import chromium
from e2e.visit import ALIKE, ended

pytestmark = [pytest.mark.system, pytest.mark.alone]


def heard(page: chromium.SpeakerPage, words: Any, event: Any) -> lab.Found:
    """Where the page's output holds the words, around the instant that was agreed."""
    return page.capture().find(words, around_us=lab.instant_us(event["play_at"]), within_ms=600)


def test_it_pairs_plays_and_plays_on_without_the_server(
    server: lab.Server,
    playwright: Playwright,
    tmp_path: Path,
) -> None:
    owner = lab.register(server)
    floor = owner.call("POST", "/api/floors/", expect=201, json={"name": "Ground", "timezone": "UTC"})
    announcement = speak(owner, "The shop closes in ten minutes.")
    stream = f"/api/announcements/{announcement['id']}/stream/"
    words = lab.decoded(owner.http.get(stream).content)[: lab.RATE]

    with chromium.profile(playwright, tmp_path / "profile", bypass_csp=True) as browser:
        page = chromium.SpeakerPage.open(browser, server.url, ears=True)
        device = page.pair(owner, "Tablet", floor["id"])
        lab.wait_for("a clock", lambda: online(owner, device), every=0.3)

        # A person plays it now: it sounds when it was agreed, and the receipt says so.
        play = owner.call(
            "POST", f"/api/announcements/{announcement['id']}/play/", expect=202, json={"all": True}
        )
        event = ended(owner, play["events"][0]["id"])
        assert (event["status"], event["reason"], event["error_message"]) == ("completed", "", "")
        found = heard(page, words, event)
        assert found.score > ALIKE, found
        assert abs(found.at_us - lab.instant_us(event["play_at"])) < 20_000, found

        # A schedule, and no server when it is due.
        due = int(time.time()) + 25
        rule = once_a_day(announcement["id"], floor["id"], due)
        owner.call("POST", "/api/schedules/", expect=201, json=rule)
        page.page.wait_for_selector(".next p")
        server.kill()
        expect(page.page.locator("[data-health=connection]")).to_contain_text("Offline")
        page.page.wait_for_selector("[data-now=announcement]")
        lab.wait_for("something to report", lambda: "to report" in page.health("owed"))

        server.start()
        lab.wait_for("the connection", lambda: page.health("connection") == "Connected", seconds=60)
        lab.wait_for("everything reported", lambda: page.health("owed") == "All plays reported")
        every = owner.get(f"/api/play-events/?device={device['id']}")["results"]
        events = [each for each in every if each["event_type"] == "scheduled"]
        assert [each["status"] for each in events] == ["completed"], events
        assert heard(page, words, events[0]).score > ALIKE
        assert page.problems == []


def test_it_asks_for_a_first_touch_and_remembers_who_it_is(
    server: lab.Server,
    playwright: Playwright,
    tmp_path: Path,
) -> None:
    owner = lab.register(server)
    floor = owner.call("POST", "/api/floors/", expect=201, json={"name": "Ground"})
    announcement = speak(owner, "Fresh bread.")
    with chromium.profile(playwright, tmp_path / "profile", sound_allowed=False) as browser:
        page = chromium.SpeakerPage.open(browser, server.url, ears=False)
        device = page.pair(owner, "Tablet", floor["id"])
        page.page.get_by_role("button", name="Tap to start the sound").click()
        page.page.wait_for_selector(".stage")
    with chromium.profile(playwright, tmp_path / "profile") as browser:
        page = chromium.SpeakerPage.open(browser, server.url, ears=False)
        page.page.wait_for_selector(".stage")
        lab.wait_for("a clock", lambda: online(owner, device), every=0.3)
        play = owner.call(
            "POST", f"/api/announcements/{announcement['id']}/play/", expect=202, json={"all": True}
        )
        assert ended(owner, play["events"][0]["id"])["status"] == "completed"

        # Without a server the page is there all the same, and knows who it is.
        server.kill()
        page.page.reload()
        expect(page.page.locator("[data-health=connection]")).to_contain_text("Offline")
        assert "Tablet" in page.page.inner_text(".stage .head")
        assert page.problems == []
