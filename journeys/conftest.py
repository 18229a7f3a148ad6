"""A server of its own for each journey."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from journeys import lab


@pytest.fixture
def server(tmp_path: Path) -> Iterator[lab.Server]:
    running = lab.Server(tmp_path / "server").start()
    yield running
    running.kill()
