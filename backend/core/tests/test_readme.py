"""The README's journey, run as it stands: a shell runs its lines against a real server and a real speaker."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from common.audio.encode import write_audio
from common.audio.synth import RATE, demo_track
from core.tests.processes import PATIENCE_S, ROOT, said, serving

pytestmark = pytest.mark.system

README = (ROOT / "README.md").read_text()
STEPS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
CLAIM = 4
"""Which of the steps types the speaker's code."""

STAND_IN = f"""#!{sys.executable}
import argparse, pathlib, sys
import httpx

options = argparse.ArgumentParser()
options.add_argument("url")
options.add_argument("-s", action="store_true")
options.add_argument("-H", action="append", default=[])
options.add_argument("-d")
options.add_argument("-F")
asked = options.parse_args()
headers = dict(line.split(": ", 1) for line in asked.H)
name, _, path = (asked.F or "").partition("=@")
files = {{name: (path, pathlib.Path(path).read_bytes())}} if path else None
method = "POST" if asked.d or files else "GET"
sys.stdout.write(httpx.request(method, asked.url, headers=headers, content=asked.d, files=files, timeout=60).text)
"""
"""What stands in for curl on a machine without it: the options that the README uses."""


@contextmanager
def speaker(server: str, state: Path) -> Iterator[str]:
    """`make speaker NAME=till OUTPUT=null`; yields the code that it shows."""
    command = [
        sys.executable,
        "-m",
        "sync2gear_player",
        "--server",
        server,
        "--name",
        "till",
        "--output",
        "null",
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "player" / "src")}
    log = state.with_suffix(".log")
    with (
        log.open("w+") as out,
        subprocess.Popen(
            [*command, "--state", str(state)], env=environment, stdout=out, stderr=out
        ) as process,
    ):
        try:
            deadline = time.monotonic() + PATIENCE_S
            while (shown := re.search(r"^ {6}([A-Z -]+)$", said(out), re.MULTILINE)) is None:
                assert process.poll() is None, said(out)
                assert time.monotonic() < deadline, said(out)
                time.sleep(0.05)
            yield shown[1].replace(" ", "")
            process.terminate()
            assert process.wait(PATIENCE_S) == 0, said(out)
        finally:
            process.kill()


def shell(lines: str, folder: Path) -> list[str]:
    """What `sh` prints for these lines; every one of them has to succeed."""
    programs = folder / "bin"
    programs.mkdir()
    if shutil.which("curl") is None:
        (programs / "curl").write_text(STAND_IN)
        (programs / "curl").chmod(0o755)
    done = subprocess.run(
        ["sh", "-eu", "-c", lines],
        env=os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout.splitlines()


def test_the_journey(tmp_path: Path) -> None:
    assert "BCDF-GHJK" in STEPS[CLAIM]
    write_audio(tmp_path / "track.mp3", demo_track(0, 3.0), RATE)
    with serving(tmp_path / "var") as (url, _), speaker(url, tmp_path / "till") as code:
        lines = "\n".join(STEPS).replace("http://127.0.0.1:8000", url).replace("BCDF-GHJK", code)
        play_at, status, started_at, channel, occurrence, why_not = shell(lines, tmp_path)
    assert (status, channel) == ("completed", "All day")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:00:00[+-]\d\d:\d\d", occurrence)
    hour = int(occurrence[11:13])
    assert why_not == ("" if 10 <= hour < 20 else "It was quiet hours.")
    assert started_at[:16] == play_at[:16], "heard when it was ordered, to the minute"


@pytest.mark.parametrize("command", ["make run", "make speaker", "make speaker NAME=till"])
def test_the_commands_named_are_targets(command: str) -> None:
    assert command in README
    done = subprocess.run(
        ["make", "--dry-run", *command.split()[1:]], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 0
