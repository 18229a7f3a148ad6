"""Nothing that axe finds: every page as owner, floor user, staff and nobody, its dialogs, and the speaker's pages.

axe sees what a program can see: names, roles, contrast, order, and more (https://dequeuniversity.com/rules/axe/). It
comes by npm with what else checks the pages, pinned with a hash; where the registry cannot be reached, that is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page

from e2e import chromium
from e2e.shop import Shop, alive, settled, show, sign_in
from e2e.test_dashboard import browser  # noqa: F401  # a fixture
from e2e.test_speaker import playwright  # noqa: F401  # a fixture
from testing import web

pytestmark = [pytest.mark.system, pytest.mark.alone]

AXE = web.WEB / "node_modules" / "axe-core" / "axe.min.js"
LOOKS: tuple[tuple[Literal["light", "dark"], int, int], ...] = (("light", 1280, 900), ("dark", 390, 844))
"""Light on a desktop, dark on a phone: each rule of the colours and each of the sizes once."""
DIALOGS = (
    ("owner", "/", "Play now"),
    ("owner", "/", "Emergency"),
    ("owner", "/", "Add a floor"),
    ("owner", "/devices", "Add a speaker"),
    ("owner", "/team", "Invite somebody"),
    ("floor", "/", "Play now"),
    ("staff", "/providers", "Add an account"),
)
"""Who opens which dialog, where, by which button."""
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
def visitor(browser: Browser) -> Iterator[Page]:  # noqa: F811  # as the fixture
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


def look(page: Page, scheme: Literal["light", "dark"], width: int, height: int) -> None:
    """Shows the page so, and waits until it is at rest."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate(AT_REST)


def in_each_look(page: Page, axe: str, where: str) -> list[str]:
    """What axe finds in each of the looks."""
    lines = []
    for scheme, width, height in LOOKS:
        look(page, scheme, width, height)
        lines += found(page, axe, f"{where} ({scheme}, {width})")
    return lines


@pytest.mark.parametrize("who", ["owner", "floor", "staff", "out"])
def test_every_page(who: str, shop: Shop, axe: str, browser: Browser) -> None:  # noqa: F811  # a fixture
    lines = []
    with visitor(browser) as page:
        if who != "out":
            sign_in(page, shop, who)
        for address in shop.addresses(who):
            show(page, shop, address)
            lines += in_each_look(page, axe, f"{who} {address}")
        for person, address, button in DIALOGS:
            if person != who:
                continue
            show(page, shop, address)
            look(page, *LOOKS[0])
            page.get_by_role("button", name=button, exact=True).first.click()
            page.get_by_role("dialog").wait_for()
            settled(page)
            lines += in_each_look(page, axe, f"{who} {address} {button}")
    assert lines == [], "\n".join(lines)


def test_the_speakers_page(shop: Shop, axe: str, browser: Browser) -> None:  # noqa: F811  # a fixture
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
        owner.call("DELETE", f"/api/devices/{device['id']}/", expect=204)
    assert lines == [], "\n".join(lines)
