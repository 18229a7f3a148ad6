"""A real Chromium, and the speaker's page in it with ears: what it lets out is recorded on the true time line.

The ears take what the page connects to its AudioContext's output, before the browser's own mixer; the output's
timestamps (`AudioContext.getOutputTimestamp`) say when that leaves the machine, as far as the browser knows. What a
sound card and an amplifier add is not seen.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from journeys import lab
from playwright.sync_api import BrowserContext, Page, Playwright, sync_playwright

EARS = Path(__file__).with_name("ears.js")
PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
"""The machine's own browser; Playwright's are not downloaded."""
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
SOUND_ALLOWED = "--autoplay-policy=no-user-gesture-required"
UNTOUCHED = """
    globalThis.AudioContext = class extends AudioContext {
        constructor(options) { super(options); void this.suspend(); }
    };
"""
"""An output as it is on a page that nobody has touched. Whatever Playwright asks a page counts as a touch already."""
PATIENCE_MS = 2 * lab.PATIENCE_S * 1000
"""For what a page shows: a browser is more work than a speaker, and the machine may do other work too."""


class NoBrowserError(RuntimeError):
    """The machine has no Chromium; the message says how it gets one."""


@contextmanager
def profile(
    playwright: Playwright, folder: Path, *, sound_allowed: bool = True, **options: Any
) -> Iterator[BrowserContext]:
    """A browser with a profile of its own, as one machine has: opened again on the same folder it remembers."""
    if PROGRAM is None:
        raise NoBrowserError(
            "There is no Chromium on this machine: install one (Debian, Ubuntu: apt install chromium)."
        )
    arguments = [*ARGUMENTS, SOUND_ALLOWED]
    context = playwright.chromium.launch_persistent_context(
        str(folder), executable_path=PROGRAM, args=arguments, locale="en-GB", **options
    )
    context.set_default_timeout(PATIENCE_MS)
    if not sound_allowed:
        context.add_init_script(UNTOUCHED)
    try:
        yield context
    finally:
        context.close()


@contextmanager
def playwright() -> Iterator[Playwright]:
    """Playwright itself, whose driver comes with its wheel."""
    with sync_playwright() as running:
        yield running


@dataclass
class SpeakerPage:
    """The speaker's page in a browser. `problems` are errors that a script did not catch."""

    page: Page
    problems: list[str]

    @classmethod
    def open(cls, context: BrowserContext, server: str, *, ears: bool) -> SpeakerPage:
        """Opens it. Ears are a script that the page's policy would not allow: give them a profile with `bypass_csp`."""
        if ears:
            context.add_init_script(path=EARS)
        page = context.pages[0] if context.pages else context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{server}/speaker/")
        return cls(page, problems)

    def code(self) -> str:
        """The code that it shows."""
        self.page.wait_for_selector(".pairing .letter")
        return str(self.page.locator(".pairing .code").get_attribute("aria-label")).replace(" ", "")

    def pair(self, owner: lab.Person, name: str, floor: int) -> Any:
        """Somebody enters its code; answers the device."""
        body = {"user_code": self.code(), "name": name, "floor": floor}
        device = owner.call("POST", "/api/devices/claim/", expect=201, json=body)
        self.page.wait_for_selector(".stage, .touch")
        return device

    def health(self, key: str) -> str:
        """What its strip says of one thing: `connection`, `clock`, `files`, `owed`, `volume`."""
        return self.page.locator(f"[data-health={key}]").inner_text()

    def capture(self) -> lab.Capture:
        """What it let out so far."""
        heard = self.page.evaluate("overheard()")
        samples = np.frombuffer(base64.b64decode(heard["samples"]), dtype="<f4")
        first_us, rate = _true_line(np.array(heard["pairs"]), heard["first"], heard["rate"])
        seconds = len(samples) / heard["rate"]
        at = np.arange(round(seconds * lab.RATE)) * (heard["rate"] / lab.RATE)
        even = np.interp(at, np.arange(len(samples)), samples).astype(np.float32)
        return lab.Capture(even, first_us, rate * lab.RATE / heard["rate"], [])


def _true_line(pairs: Any, first_frame: int, rate: float) -> tuple[float, float]:
    """True time of the first frame (µs), and frames in a true second: the line through the pairs near their median."""
    context_s, wall_ms = pairs[:, 0], pairs[:, 1]
    for _ in range(3):
        slope, start = np.polyfit(context_s, wall_ms, 1)
        off = np.abs(slope * context_s + start - wall_ms)
        near = off <= max(0.2, 4 * float(np.median(off)))
        context_s, wall_ms = context_s[near], wall_ms[near]
    return float(slope * (first_frame / rate) + start) * 1000, float(rate * 1000 / slope)
