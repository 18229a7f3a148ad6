"""Real servers for tests: started with nothing but what a clean shell has, and stopped by Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[3]
SERVE = [sys.executable, str(ROOT / "backend" / "manage.py"), "serve"]
PATIENCE_S = 90


def environment(data: Path, **more: str) -> dict[str, str]:
    """Nothing but what a clean shell has, and the settings named."""
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return clean | {"SYNC2GEAR_DATA": str(data), "PORT": "0", "PYTHON_DOTENV_DISABLED": "1"} | more


@contextmanager
def serving(data: Path, **more: str) -> Iterator[tuple[str, str]]:
    """A running server: its URL and its welcome. It is stopped by Ctrl-C, and has to end well."""
    with (
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
        subprocess.Popen(SERVE, env=environment(data, **more), stdout=out, stderr=err) as process,
    ):
        try:
            deadline = time.monotonic() + PATIENCE_S
            while "Ctrl-C stops the server" not in (welcome := said(out)):
                assert process.poll() is None, said(err)
                assert time.monotonic() < deadline, said(err)
                time.sleep(0.05)
            url = re.search(r"serves at (\S+)", welcome)
            assert url is not None
            yield url[1], welcome
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE_S) == 0, said(err)
            assert said(out) == welcome
            assert not re.search("Traceback|Warning|ERROR", said(err)), said(err)
        finally:
            process.kill()


@contextmanager
def running(
    command: list[str],
    log: Path,
    ready: str,
    env: dict[str, str],
    *,
    cwd: Path = ROOT / "backend",
    end: signal.Signals = signal.SIGTERM,
) -> Iterator[re.Match[str]]:
    """A process of which `ready` has been heard; it is ended by a signal, and has to end well."""
    with (
        log.open("w+") as out,
        subprocess.Popen(command, cwd=cwd, env=env, stdout=out, stderr=out) as process,
    ):
        try:
            yield until(lambda: re.search(ready, said(out)), lambda: said(out), alive=process)
            process.send_signal(end)
            assert process.wait(PATIENCE_S) == 0, said(out)
            assert "Traceback" not in said(out), said(out)
        finally:
            process.kill()


def until(
    check: Callable[[], Any], explain: Callable[[], Any], alive: subprocess.Popen[Any] | None = None
) -> Any:
    """What `check` answers once that is true."""
    deadline = time.monotonic() + PATIENCE_S
    while not (answer := check()):
        assert alive is None or alive.poll() is None, explain()
        assert time.monotonic() < deadline, explain()
        time.sleep(0.1)
    return answer


def said(file: IO[str]) -> str:
    """All that a process has written so far."""
    file.seek(0)
    return file.read()
