"""Without a browser there is nothing to try: that is said, with a status of its own (75, EX_TEMPFAIL)."""

from __future__ import annotations

import pytest

from e2e.chromium import PROGRAM


def pytest_sessionstart() -> None:
    """Ends a run that no browser is there for."""
    if PROGRAM is None:
        pytest.exit("NOT CHECKED: no Chromium is installed here (Debian, Ubuntu: apt install chromium).", 75)
