"""What all tests of the pages share: a server, browsers, patience, and an end that leaves nothing behind."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from journeys.conftest import server as server  # a fixture here as there
from playwright.sync_api import Browser, Playwright, expect

from e2e import chromium

expect.set_options(timeout=chromium.PATIENCE_MS)


def pytest_sessionstart() -> None:
    """Ends a run that no browser is there for, with a status of its own (75, EX_TEMPFAIL)."""
    if chromium.PROGRAM is None:
        pytest.exit("NOT CHECKED: no Chromium is installed here (Debian, Ubuntu: apt install chromium).", 75)
    # A run that is ended from outside, or with its terminal, ends as by Ctrl-C: its servers and browsers with it.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with chromium.playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    running = playwright.chromium.launch(
        executable_path=chromium.PROGRAM, args=[*chromium.ARGUMENTS, chromium.SOUND_ALLOWED]
    )
    yield running
    running.close()
