"""Nothing that axe finds: every page as owner, floor user, staff and nobody, its dialogs, and the speaker's pages.

Each is looked at in English and in German, light and dark, wide and narrow, and none may be wider than its screen.

axe sees what a program can see: names, roles, contrast, order, and more (https://dequeuniversity.com/rules/axe/). It
comes by npm with what else checks the pages, pinned with a hash; where the registry cannot be reached, that is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
from journeys import lab
from playwright.sync_api import Browser, Page

from e2e import chromium
from e2e.shop import Shop, alive, settled, show, sign_in
from testing import web

pytestmark = [pytest.mark.system, pytest.mark.alone]

AXE = web.WEB / "node_modules" / "axe-core" / "axe.min.js"
LOOKS: tuple[tuple[Literal["en", "de"], Literal["light", "dark"], int, int], ...] = (
    ("en", "light", 1280, 900),
    ("de", "dark", 390, 844),
)
"""English and light on a desktop, German and dark on a phone: each language, theme and size once."""
OVER = {
    "owner": (
        ("/", "Play now"),
        ("/", "Emergency"),
        ("/", "Add a floor"),
        ("/", "Silence…"),
        ("/floors/:id", "Silence…"),
        ("/", "Olive Owner…"),
        ("/timeline", "Fresh pastries"),
        ("/announcements", "Play “Fresh pastries”"),
        ("/announcements/new", "Have it drafted"),
        ("/announcements/:id", "Delete"),
        ("/music", "More for…", "Change name and tags"),
        ("/music", "More for…", "Delete"),
        ("/playlists", "Evening", "Delete"),
        ("/schedules", "Closing time", "Delete"),
        ("/schedules/new", "Name=Morning", "Save"),
        ("/history", "Details of…"),
        ("/devices", "Add a speaker"),
        ("/devices", "Add a speaker", "Code on its screen=BCDFGHJK", "Add"),
        ("/devices/:id", "Lock out"),
        ("/devices/:id", "Remove"),
        ("/team", "Invite somebody"),
        ("/team", "What to do with…", "Change"),
        ("/team", "What to do with…", "Remove"),
        ("/settings", "Change"),
        ("/settings", "Change", "Delete this floor"),
        ("/settings", "Add a webhook"),
        ("/settings", "Add a webhook", "Address=http://example.org", "Save"),
        ("/settings", "What to do with…", "What was sent"),
        ("/settings", "What to do with…", "New secret", "New secret"),
        ("/profile", "Sign out everywhere"),
        ("/audit", "Look at entry…"),
    ),
    "floor": (("/", "Play now"), ("/history", "Details of…")),
    "staff": (
        ("/businesses", "Add a business"),
        ("/businesses/:id", "Act in its name"),
        ("/businesses/:id", "Suspend"),
        ("/businesses/:id", "Delete this business"),
        ("/providers", "Add an account"),
        ("/providers", "What to do with…", "Change"),
        ("/providers", "What to do with…", "What it was used for"),
        ("/providers", "What to do with…", "Remove"),
        ("/audit", "Look at entry…"),
        # Last, for the pages are another's from then on: the banner.
        ("/businesses/:id", "Act in its name", "Reason=They asked for help", "Begin"),
    ),
}
"""What lies over a page, or comes up on it: who gets there, where, by pressing which buttons and filling in what (`=`).

`…` stands for whatever a name goes on with.
"""
SAY = """
    async (language) => {
        const files = performance.getEntriesByType("resource").map((each) => each.name);
        const { choose } = await import(files.find((name) => name.endsWith("/common/i18n.js")));
        choose(language);
    }
"""
"""Says the page in another language, as its menu does."""
AT_REST = """
    async () => {
        for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
        await Promise.allSettled(document.getAnimations().map((each) => each.finished));
    }
"""
"""When colours that change with the look have arrived: even without motion that takes a frame."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with alive(tmp_path_factory.mktemp("shop")) as running:
        yield running


@pytest.fixture(scope="module")
def axe() -> str:
    status = web.installed()
    if status == web.NOT_REACHED:
        pytest.skip("NOT CHECKED: npm's registry was not reached, and axe is not installed.")
    assert status == 0
    return AXE.read_text()


@contextmanager
def visitor(browser: Browser) -> Iterator[Page]:
    """Somebody whose browser moves nothing, so that no colour is on its way to another when axe looks."""
    with browser.new_context(locale="en-GB", reduced_motion="reduce") as context:
        context.set_default_timeout(chromium.PATIENCE_MS)
        yield context.new_page()


def found(page: Page, axe: str, where: str) -> list[str]:
    """What axe finds in the page as it is, a line each."""
    if not page.evaluate("'axe' in globalThis"):
        page.evaluate(f"() => {{ {axe} }}")
    violations: list[Any] = page.evaluate("axe.run().then(({ violations }) => violations)")
    return [
        f"{where}: {rule['id']}: {node['target']}: {node['failureSummary']}"
        for rule in violations
        for node in rule["nodes"]
    ]


def look(page: Page, language: str, scheme: Literal["light", "dark"], width: int, height: int) -> None:
    """Shows the page so, and waits until it is at rest."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate(SAY, language)
    page.evaluate(AT_REST)


def in_each_look(page: Page, axe: str, where: str) -> list[str]:
    """What axe finds in each of the looks, and how much of the page is beside the screen."""
    lines = []
    for language, scheme, width, height in LOOKS:
        look(page, language, scheme, width, height)
        named = f"{where} ({language}, {scheme}, {width})"
        lines += found(page, axe, named)
        if beside := page.evaluate("document.documentElement.scrollWidth - innerWidth"):
            lines.append(f"{named}: {beside} pixels wider than the screen")
    return lines


def press(page: Page, step: str) -> None:
    """One step of `OVER`; waits until what it brings is there."""
    before = told(page)
    label, filled_in, text = step.partition("=")
    name = re.compile(f"^{re.escape(label[:-1])}") if label.endswith("…") else label
    if filled_in:
        page.get_by_label(name, exact=True).fill(text)
    else:
        buttons = page.get_by_role("button", name=name, exact=True)
        # A dialog makes what is behind it idle; what stands last lies on top.
        last = buttons.or_(page.get_by_role("menuitem", name=name, exact=True))
        (last.last if page.get_by_role("dialog").count() else last.first).click()
    lab.wait_for(f"what “{step}” brings at {page.url}", lambda: told(page) != before)
    settled(page)


def told(page: Page) -> str:
    """What a screen reader is told, but for numbers, which change by themselves."""
    return re.sub(r"\d", "", page.locator("body").aria_snapshot())


@pytest.mark.parametrize("who", ["owner", "floor", "staff", "out"])
def test_every_page(who: str, shop: Shop, axe: str, browser: Browser) -> None:
    lines = []
    with visitor(browser) as page:
        if who != "out":
            sign_in(page, shop, who)
        for address in shop.addresses(who):
            show(page, shop, address)
            lines += in_each_look(page, axe, f"{who} {address}")
    assert lines == [], "\n".join(lines)


@pytest.mark.parametrize("who", OVER)
def test_what_lies_over_a_page(who: str, shop: Shop, axe: str, browser: Browser) -> None:
    lines = []
    with visitor(browser) as page:
        sign_in(page, shop, who)
        for address, *steps in OVER[who]:
            show(page, shop, shop.filled(address, who))
            look(page, *LOOKS[0])
            for step in steps:
                press(page, step)
            lines += in_each_look(page, axe, f"{who} {address} {steps}")
    assert lines == [], "\n".join(lines)


def test_the_speakers_page(shop: Shop, axe: str, browser: Browser) -> None:
    owner = shop.person("owner")
    floor = owner.get("/api/floors/")["results"][0]["id"]
    with browser.new_context(locale="en-GB", reduced_motion="reduce") as context:
        context.set_default_timeout(chromium.PATIENCE_MS)
        speaker = chromium.SpeakerPage.open(context, shop.url, ears=False)
        speaker.code()
        lines = in_each_look(speaker.page, axe, "speaker, pairing")
        device = speaker.pair(owner, "Tablet", floor)
        speaker.page.wait_for_selector(".stage")
        lines += in_each_look(speaker.page, axe, "speaker, stage")

        look(speaker.page, *LOOKS[0])
        speaker.page.get_by_role("button", name="This speaker").click()
        lines += in_each_look(speaker.page, axe, "speaker, settings")
        look(speaker.page, *LOOKS[0])
        speaker.page.get_by_role("button", name="Disconnect this browser").click()
        lines += in_each_look(speaker.page, axe, "speaker, disconnecting")

        other = context.new_page()
        other.goto(f"{shop.url}/speaker/")
        other.get_by_role("heading").wait_for()
        lines += in_each_look(other, axe, "speaker, in another tab")
        owner.call("DELETE", f"/api/devices/{device['id']}/", expect=204)
        speaker.page.wait_for_selector(".message")
        lines += in_each_look(speaker.page, axe, "speaker, removed")
    assert lines == [], "\n".join(lines)


def test_the_speakers_page_before_a_touch(shop: Shop, axe: str, browser: Browser) -> None:
    owner = shop.person("owner")
    floor = owner.get("/api/floors/")["results"][0]["id"]
    with browser.new_context(locale="en-GB", reduced_motion="reduce") as context:
        context.set_default_timeout(chromium.PATIENCE_MS)
        context.add_init_script(chromium.UNTOUCHED)
        speaker = chromium.SpeakerPage.open(context, shop.url, ears=False)
        device = speaker.pair(owner, "Phone", floor)
        speaker.page.wait_for_selector(".touch")
        lines = in_each_look(speaker.page, axe, "speaker, before a touch")
        owner.call("DELETE", f"/api/devices/{device['id']}/", expect=204)
    assert lines == [], "\n".join(lines)
