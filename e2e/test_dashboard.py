"""What a shop's people do on the pages, in real browsers, and one that sounds: from the first visit to the proof.

Nothing here asks the API what a person would see: it is read from the page, which is never loaded again.
"""

from __future__ import annotations

import io
import re
import time
import wave
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
from journeys import lab
from playwright.sync_api import Browser, Page, Playwright, expect

from e2e.shop import settled
from e2e.visit import (
    ALIKE,
    ORDERED_MS,
    PASSWORD,
    clip_of,
    guided,
    hung_up,
    last_played,
    not_loaded_again,
    register,
    sign_in,
    to,
    visitor,
)

pytestmark = [pytest.mark.system, pytest.mark.alone]

STAFF = ("admin@sync2gear.example", "a long enough password")
WORDS = "Dear guests, our cheese counter closes in ten minutes."
FIRST_SOUND_S = 180
"""So soon after the first visit a new business sounds. A person reads, where this only types; but it speaks, pairs and
plays no quicker."""


def a_tune(seconds: float) -> bytes:
    """A WAV file: two tones that beat."""
    at = np.arange(round(seconds * 48_000)) / 48_000
    tune = 0.2 * np.sin(2 * np.pi * 220 * at) + 0.2 * np.sin(2 * np.pi * 223 * at)
    into = io.BytesIO()
    with wave.open(into, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes((tune * 32767).astype("<i2").tobytes())
    return into.getvalue()


def test_from_the_first_visit_to_the_proof(
    server: lab.Server,
    playwright: Playwright,
    browser: Browser,
    tmp_path: Path,
) -> None:
    with ExitStack() as stack:
        page = stack.enter_context(visitor(browser, server))
        speaker = hung_up(stack, playwright, server.url, tmp_path / "tablet")
        began = time.monotonic()
        register(page, "Corner Shop")
        same_page = not_loaded_again(page)
        guided(page, speaker)
        assert time.monotonic() - began < FIRST_SOUND_S

        # Music is dragged or chosen, and is ready without anybody looking again.
        to(page, "Music")
        tune = {"name": "Tune.wav", "mimeType": "audio/wav", "buffer": a_tune(20)}
        page.locator("input[type=file]").set_input_files(tune)
        expect(page.get_by_role("button", name="Listen to Tune")).to_be_visible()

        # Words are typed, heard first, kept, and ready without a reload.
        to(page, "Announcements")
        page.get_by_role("link", name="New announcement").click()
        page.get_by_label("What is to be said").fill(WORDS)
        page.get_by_label("Title").fill("Cheese")
        page.get_by_role("button", name="Listen first").click()
        expect(page.get_by_role("button", name="Pause the preview")).to_be_visible()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("button", name="Play “Cheese”")).to_be_enabled(timeout=60_000)
        words = clip_of(page, "Cheese")

        # Two clicks and a few seconds: the speaker's page lets the words out, the dashboard says that they were heard.
        page.get_by_role("button", name="Play “Cheese”").click()
        page.get_by_role("dialog").get_by_role("button", name="Play", exact=True).click()
        ordered = time.time()
        to(page, "Now")
        row = last_played(page).locator("li", has_text="Cheese")
        expect(row).to_contain_text("Heard", timeout=ORDERED_MS)
        found = speaker.capture().find(words, around_us=(ordered + 7.5) * 1e6, within_ms=7_500)
        assert found.score > ALIKE, found
        assert speaker.problems == []
        assert same_page()


@dataclass(frozen=True)
class TwoFloors:
    """A business with the floors Bakery and Cellar, a speaker on each; `below`: the ids of Cellar and its speaker."""

    owner: tuple[str, str]
    floor_user: tuple[str, str]
    below: tuple[int, int]

    @property
    def addresses(self) -> list[str]:
        """Where an owner reads of Cellar."""
        floor, device = self.below
        lists = [
            "/",
            "/devices",
            "/timeline",
            "/history",
            f"/timeline?floor={floor}",
            f"/history?floor={floor}",
        ]
        return [*lists, f"/floors/{floor}", f"/devices/{device}"]


@pytest.fixture
def two_floors(server: lab.Server) -> TwoFloors:
    owner = lab.register(server, "Two Floors")
    staff = lab.Person(httpx.Client(base_url=server.url, timeout=30))
    token = staff.call("POST", "/api/auth/login/", expect=200, json={"email": STAFF[0], "password": STAFF[1]})
    staff.http.headers["Authorization"] = f"Bearer {token['access']}"
    me = owner.get("/api/auth/me/")
    more = {"multi_floor_enabled": True, "max_floors": 2}
    staff.call("PATCH", f"/api/clients/{me['client']['id']}/", expect=200, json=more)
    floors, devices = [], []
    for name in ("Bakery", "Cellar"):
        floors.append(owner.call("POST", "/api/floors/", expect=201, json={"name": name})["id"])
        body = {"name": f"{name} box", "floor": floors[-1]}
        devices.append(owner.call("POST", "/api/devices/", expect=201, json=body)["id"])
    person = {"name": "Fay Floor", "email": "fay@shop.example", "role": "floor_user", "password": PASSWORD}
    owner.call("POST", "/api/users/", expect=201, json={**person, "floor": floors[0]})
    return TwoFloors((me["email"], lab.PASSWORD), (person["email"], PASSWORD), (floors[1], devices[1]))


def reads_of_cellar(page: Page, address: str) -> bool:
    """Whether anything on the page names the floor: in its lists, its choosers, or where nobody looks."""
    page.goto(address)
    settled(page)
    return "Cellar" in page.content()


def test_a_floor_user_sees_one_floor(two_floors: TwoFloors, server: lab.Server, browser: Browser) -> None:
    with visitor(browser, server) as page:
        sign_in(page, *two_floors.owner)
        assert [each for each in two_floors.addresses if not reads_of_cellar(page, each)] == []
    with visitor(browser, server) as page:
        sign_in(page, *two_floors.floor_user)
        expect(page.get_by_role("heading", name="Bakery")).to_be_visible()
        for place in ("Team", "Settings", "Audit trail"):
            expect(page.get_by_role("link", name=place)).to_have_count(0)
        assert [each for each in two_floors.addresses if reads_of_cellar(page, each)] == []
        to(page, "Now")
        page.get_by_role("button", name="Play now").click()
        page.get_by_role("dialog").wait_for()
        settled(page)
        assert "Cellar" not in page.content()


def test_staff_act_in_a_name_under_a_banner_and_the_trail_has_both(
    two_floors: TwoFloors,
    server: lab.Server,
    browser: Browser,
) -> None:
    with visitor(browser, server) as page:
        sign_in(page, *STAFF)
        page.get_by_role("link", name="Two Floors").click()
        page.get_by_role("button", name="Act in its name").click()
        page.get_by_label("Reason").fill("They asked for help with their floors")
        page.get_by_role("button", name="Begin").click()
        banner = page.get_by_role("alert").filter(has_text="You are acting as Ada Keeper of Two Floors")
        expect(page.get_by_role("heading", name="Cellar")).to_be_visible()
        for place in page.get_by_role("navigation").first.get_by_role("link").all():
            place.click()
            settled(page)
            expect(banner).to_be_in_viewport()
        page.reload()
        expect(banner).to_be_in_viewport()

        to(page, "Now")
        page.get_by_role("button", name="Change Cellar").click()
        page.get_by_role("dialog").get_by_label("Name of the floor").fill("Vault")
        page.get_by_role("dialog").get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", name="Vault")).to_be_visible()
        page.get_by_role("button", name="Stop acting").click()
        expect(page.get_by_role("heading", name="Businesses")).to_be_visible()
        expect(banner).to_have_count(0)
        to(page, "Audit trail")
        expect(page.get_by_role("row", name=re.compile("Began to act as")).first).to_be_visible()
        row = page.get_by_role("row", name=re.compile("Changed a floor")).first
        expect(row).to_contain_text(two_floors.owner[0])
        expect(row).to_contain_text(f"really {STAFF[0]}")
