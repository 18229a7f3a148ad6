"""`make screenshots`: each page as it looks with the demo's shop alive, in both themes, on a desktop and on a phone.

Into `var/screenshots/`, which git leaves out, as `<page>-<theme>-<screen>.webp`. The README's two are copies of
`owner-now-light-desktop` and `speaker-playing-dark-phone`.
"""

from __future__ import annotations

import argparse
import base64
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page

from e2e import chromium
from e2e.shop import Shop, alive, show, sign_in

INTO = Path(__file__).parents[1] / "var" / "screenshots"
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SCREENS = {"desktop": (1280, 860), "phone": (390, 844)}
"""CSS pixels. A page is as long as it is; these are what is seen of it at once."""
QUIET_MS = 700
"""Until what slides in has come to rest."""
SHARP = 2
"""Pixels for each CSS pixel."""
QUALITY = 80
"""Of WebP, of 100: letters stay clean, and no picture is larger than some 100 kB."""


def shoot(page: Page, name: str, into: Path) -> None:
    """The page as it stands, in each theme and on each screen."""
    browser = page.context.new_cdp_session(page)  # Playwright itself takes no WebP
    for screen, (width, height) in SCREENS.items():
        page.set_viewport_size({"width": width, "height": height})
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            page.wait_for_timeout(QUIET_MS)
            part = {"x": 0, "y": 0, "width": width, "height": height, "scale": SHARP}
            taken = browser.send(
                "Page.captureScreenshot", {"format": "webp", "quality": QUALITY, "clip": part}
            )
            (into / f"{name}-{theme}-{screen}.webp").write_bytes(base64.b64decode(taken["data"]))


def dashboard(browser: Browser, shop: Shop, who: str, into: Path, only: str) -> None:
    """Every page that this person has."""
    with browser.new_context(locale="en-GB") as context:
        context.set_default_timeout(chromium.PATIENCE_MS)
        page = context.new_page()
        if who != "out":
            sign_in(page, shop, who)
        for address in shop.addresses(who):
            name = f"{who}-{address.strip('/').replace('/', '-') or 'now'}"
            if only in name:
                show(page, shop, address)
                shoot(page, name, into)


def speaker(browser: Browser, shop: Shop, into: Path) -> None:
    """The browser as a speaker: waiting to be paired, and playing."""
    owner = shop.person("owner")
    floor = owner.get("/api/floors/")["results"][0]["id"]
    with browser.new_context(locale="en-GB") as context:
        context.set_default_timeout(chromium.PATIENCE_MS)
        found = chromium.SpeakerPage.open(context, shop.url, ears=False)
        found.code()
        shoot(found.page, "speaker-pairing", into)
        device = found.pair(owner, "Tablet", floor)
        found.page.wait_for_selector("[data-now=music]")
        shoot(found.page, "speaker-playing", into)
        owner.call("DELETE", f"/api/devices/{device['id']}/", expect=204)


def take(shop: Shop, into: Path, only: str = "") -> None:
    """All pictures whose name has `only` in it."""
    into.mkdir(parents=True, exist_ok=True)
    with chromium.playwright() as running:
        browser = running.chromium.launch(
            executable_path=chromium.PROGRAM, args=[*chromium.ARGUMENTS, chromium.SOUND_ALLOWED]
        )
        for who in ("out", "owner", "floor", "staff"):
            dashboard(browser, shop, who, into, only)
        if only in "speaker":
            speaker(browser, shop, into)
        browser.close()


def main() -> None:
    """Starts the shop, and takes them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=INTO)
    parser.add_argument("--only", default="", help="part of a picture's name, as owner-now")
    options = parser.parse_args()
    if chromium.PROGRAM is None:
        raise SystemExit(
            "There is no Chromium on this machine: install one (Debian, Ubuntu: apt install chromium)."
        )
    with tempfile.TemporaryDirectory(prefix="sync2gear-") as folder, alive(Path(folder)) as shop:
        take(shop, options.into, options.only)
    print(f"The pictures are in {options.into}.")


if __name__ == "__main__":
    main()
