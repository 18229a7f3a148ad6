"""systemd reads the units of `deploy/systemd`: `make proxy`, where systemd is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.tests.processes import ROOT

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
PROGRAM = "/opt/sync2gear/.venv/bin/python"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    """As they stand but for the program, which is not installed where they look for it."""
    for unit in UNITS:
        here = (
            unit.read_text().replace(PROGRAM, sys.executable).replace("/opt/sync2gear/backend", str(tmp_path))
        )
        (tmp_path / unit.name).write_text(here)
    files = sorted(map(str, tmp_path.glob("*.service")))
    assert files
    found = subprocess.run(
        ["systemd-analyze", "verify", *files], capture_output=True, text=True, timeout=60, check=False
    )
    assert (found.returncode, found.stdout + found.stderr) == (0, "")
