"""The dashboard's frame in a real browser: the ways in and out, every page loads, nothing breaks the page's policy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from core.tests.processes import serving
from e2e import chromium

ROUTES = Path(__file__).parents[1] / "web" / "dashboard" / "routes.js"
OWNER = "owner@demo-coffee.example"
HARMLESS = "Failed to load resource"
"""What Chromium writes of a refusal that a page shows itself."""


class Shop:
    """The demo's server, and who owns its shop."""

    def __init__(self, url: str, data: Path) -> None:
        said = re.search(
            rf"{re.escape(OWNER)}\s+password: (\S+)", (data / "demo" / "sign-in.txt").read_text()
        )
        assert said is not None
        self.url, self.password = url, said[1]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    data = tmp_path_factory.mktemp("shop")
    with serving(data) as (url, _):
        yield Shop(url, data)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[BrowserContext]:
    with chromium.playwright() as running, chromium.profile(running, tmp_path / "profile") as context:
        yield context


def opened(browser: BrowserContext, address: str, problems: list[str]) -> Page:
    """A tab at this address; what goes wrong in it is told by `problems`."""
    page = browser.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda said: (
            problems.append(said.text)
            if said.type == "error" and not said.text.startswith(HARMLESS)
            else None
        ),
    )
    page.goto(address)
    return page


def sign_in(page: Page, password: str) -> None:
    """Fills in the form and sends it."""
    page.get_by_label("E-mail address").fill(OWNER)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_in_and_out(shop: Shop, browser: BrowserContext) -> None:
    problems: list[str] = []
    page = opened(browser, f"{shop.url}/team?role=floor_user", problems)
    sign_in(page, "not the password")
    expect(page.get_by_role("alert")).to_have_text("The e-mail address or the password is wrong.")
    sign_in(page, shop.password)
    expect(page.get_by_role("heading", level=1)).to_have_text("Team")  # where one was going
    assert page.url == f"{shop.url}/team?role=floor_user"

    # A second tab is the same person; the language and the look that are chosen stay.
    other = opened(browser, f"{shop.url}/settings", problems)
    expect(other.get_by_role("heading", level=1)).to_have_text("Settings")
    other.get_by_role("button", name="Olive Owner").click()
    other.get_by_role("menuitemradio", name="Dark").click()
    other.get_by_role("button", name="Olive Owner").click()
    other.get_by_role("menuitemradio", name="Deutsch").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("Einstellungen")
    other.reload()
    expect(other.get_by_role("heading", level=1)).to_have_text("Einstellungen")
    assert other.evaluate("[document.documentElement.lang, document.documentElement.dataset.theme]") == [
        "de",
        "dark",
    ]

    # Whoever signs out in one tab is out in all.
    other.get_by_role("button", name="Olive Owner").click()
    other.get_by_role("menuitem", name="Abmelden").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("Anmelden")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Anmelden")
    assert problems == [], problems


def test_every_page_loads_by_its_address_and_by_the_navigation(shop: Shop, browser: BrowserContext) -> None:
    problems: list[str] = []
    page = opened(browser, f"{shop.url}/sign-in", problems)
    sign_in(page, shop.password)
    places = page.get_by_role("navigation").first.get_by_role("link")
    expect(places).not_to_have_count(0)
    for place in places.all():
        name = place.inner_text()
        place.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(name)
        expect(page).to_have_title(f"{name} · sync2gear")
    addresses = [path for path in re.findall(r'path: "(/[^":]*)"', ROUTES.read_text())]
    assert len(addresses) > 15
    for address in addresses:
        page.goto(shop.url + address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        if address != "/sign-in":  # which leads on
            expect(page).to_have_url(shop.url + address)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0, (
            f"{address} is too wide"
        )
    page.goto(f"{shop.url}/nowhere")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")
    assert problems == [], problems
