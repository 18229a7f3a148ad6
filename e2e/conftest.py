"""What all of it shares: patience with a page, an end that leaves nothing behind, and what is said with no browser."""

from __future__ import annotations

import signal

import pytest
from playwright.sync_api import expect

from e2e.chromium import PATIENCE_MS, PROGRAM

expect.set_options(timeout=PATIENCE_MS)


def pytest_sessionstart() -> None:
    """Ends a run that no browser is there for, with a status of its own (75, EX_TEMPFAIL)."""
    if PROGRAM is None:
        pytest.exit("NOT CHECKED: no Chromium is installed here (Debian, Ubuntu: apt install chromium).", 75)
    # A run that is ended from outside, or with its terminal, ends as by Ctrl-C: its servers and browsers with it.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
