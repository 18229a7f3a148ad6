"""What a shop's people do on the pages, step by step: every test of the pages walks with these."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from journeys import lab
from playwright.sync_api import Browser, Locator, Page, Playwright, expect

from e2e import chromium

PASSWORD = "a secret of many words"
ALIKE = 0.5
"""As alike as words under quiet music still are to themselves."""
ORDERED_MS = 60_000
"""Five seconds in which an order can be called back, the play, its receipt, and a machine that is busy."""


@contextmanager
def visitor(browser: Browser, server: lab.Server) -> Iterator[Page]:
    """Somebody with a browser of their own; an error that no script caught fails the test."""
    with browser.new_context(base_url=server.url, locale="en-GB", timezone_id="UTC") as context:
        context.set_default_timeout(chromium.PATIENCE_MS)
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        yield page
        assert problems == []


def not_loaded_again(page: Page) -> Callable[[], bool]:
    """Marks the page as it stands; answers whether it still is the same, and was not loaded since."""
    page.evaluate("globalThis.marked = true")
    return lambda: bool(page.evaluate("globalThis.marked === true"))


def register(page: Page, business: str) -> None:
    """Registers on the page, and stands on Now."""
    page.goto("/register")
    page.get_by_label("Name of your business").fill(business)
    page.get_by_label("Your name").fill("Olivia Owner")
    page.get_by_label("E-mail address").fill(f"{business.lower().replace(' ', '.')}@shop.example")
    page.get_by_label("Telephone").fill("+44 20 7946 0000")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Start the free trial").click()
    page.get_by_role("heading", name="Now", exact=True).wait_for()


def sign_in(page: Page, email: str, password: str) -> None:
    """Signs in on the page."""
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("navigation", name="Main navigation").first.wait_for()


def to(page: Page, place: str) -> None:
    """Goes to a place of the navigation; the page is not loaded anew."""
    page.get_by_role("navigation", name="Main navigation").first.get_by_role("link", name=place).click()
    page.get_by_role("heading", name=place, exact=True, level=1).wait_for()


def hung_up(stack: ExitStack, running: Playwright, url: str, folder: Path) -> chromium.SpeakerPage:
    """A browser that is to become a speaker, with ears."""
    profile = stack.enter_context(chromium.profile(running, folder, bypass_csp=True))
    return chromium.SpeakerPage.open(profile, url, ears=True)


def guided(page: Page, speaker: chromium.SpeakerPage) -> None:
    """The first three minutes: a floor, a speaker by its code, a first sound."""
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Code on its screen").fill(speaker.code())
    page.get_by_label("Name", exact=True).fill("Counter")
    page.get_by_role("button", name="Add", exact=True).click()
    speaker.page.wait_for_selector(".stage")
    expect(page.get_by_text("Counter is connected.")).to_be_visible()
    page.get_by_role("button", name="Let it sound").click()
    expect(page.get_by_text("Your shop sounds.")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Close this guide").click()


def last_played(page: Page) -> Locator:
    """The list of Now that says what was played."""
    return page.locator("section", has=page.get_by_role("heading", name="Last played"))


def clip_of(page: Page, title: str) -> Any:
    """The samples of an announcement, by the link that its player on the page has."""
    with page.expect_response(re.compile(r"/media/announcement/")) as asked:
        page.get_by_role("button", name=f"Listen to {title}").click()
    page.get_by_role("button", name=f"Pause {title}").click()
    return lab.decoded(page.request.get(asked.value.url).body())[: lab.RATE]


def ended(owner: lab.Person, event_id: str) -> Any:
    """The event, when it is over."""

    def over() -> Any:
        event = owner.event(event_id)
        return event["status"] in ("completed", "failed") and event

    return lab.wait_for("a receipt", over, every=0.2)
