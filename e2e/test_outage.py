"""A schedule made with the form is heard while the server is away for a minute, and told on the page afterwards."""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from journeys import lab
from playwright.sync_api import Browser, Page, Playwright, expect

from e2e.visit import (
    ALIKE,
    ORDERED_MS,
    clip_of,
    guided,
    hung_up,
    last_played,
    not_loaded_again,
    register,
    to,
    visitor,
)

pytestmark = [pytest.mark.system, pytest.mark.alone]

AHEAD_S = 60
"""From before the form is filled in until it is due: the speaker has to have its new plan, also on a busy machine."""
AWAY_S = 60
HEARD_S = 12
"""After it was due: the words are over, and their receipt is written down."""


def make_schedule(page: Page, due: datetime) -> None:
    """Fills in the form for one time of day, which has to show the next time while that is done."""
    to(page, "Schedules")
    page.get_by_role("link", name="New schedule").first.click()
    page.get_by_label("Name", exact=True).fill("Once")
    page.get_by_role("radio", name="At times of day").check()
    page.get_by_label("Add an announcement").select_option(label="Welcome")
    time_field = page.get_by_label("Time of Welcome")
    time_field.evaluate("field => { field.step = 1 }")
    time_field.fill(f"{due:%H:%M:%S}")
    time_field.blur()
    expect(page.locator("aside")).to_contain_text(f"{due:%H:%M}")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="Schedules", exact=True).wait_for()


def test_what_a_schedule_plays_while_the_server_is_away_is_on_the_page_when_it_is_back(
    server: lab.Server,
    playwright: Playwright,
    browser: Browser,
    tmp_path: Path,
) -> None:
    with ExitStack() as stack:
        page = stack.enter_context(visitor(browser, server))
        speaker = hung_up(stack, playwright, server.url, tmp_path / "tablet")
        register(page, "Night Shop")
        same_page = not_loaded_again(page)
        guided(page, speaker)
        to(page, "Announcements")
        words = clip_of(page, "Welcome")
        due = datetime.fromtimestamp(int(time.time()) + AHEAD_S, tz=UTC)
        make_schedule(page, due)
        speaker.page.wait_for_selector(".next p")

        server.kill()
        back_at = max(time.time() + AWAY_S, due.timestamp() + HEARD_S)
        expect(page.get_by_text("The connection is lost.")).to_be_visible(timeout=60_000)
        until_heard_ms = (due.timestamp() - time.time() + 30) * 1000
        speaker.page.wait_for_selector("[data-now=announcement]", timeout=until_heard_ms)
        page.wait_for_timeout(max(0, back_at - time.time()) * 1000)
        server.start()
        expect(page.get_by_text("The connection is lost.")).to_be_hidden(timeout=60_000)

        to(page, "Now")
        row = last_played(page).locator("li", has_text="Welcome").first
        expect(row).to_contain_text(f"{due:%H:%M}", timeout=ORDERED_MS)
        expect(row).to_contain_text("Heard", timeout=ORDERED_MS)
        assert same_page()
        found = speaker.capture().find(words, around_us=due.timestamp() * 1e6)
        assert found.score > ALIKE, found
        assert speaker.problems == []
