"""Tasks that go wrong, for a child process: what no file and no library may do to the server."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

from common.audio.errors import AudioRefused
from common.audio.forkserver import serve


def segfault() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def sleep(pid_file: str) -> None:
    """Sleeps with a child of its own, which must not outlive it."""
    child = os.fork()
    if child:
        Path(pid_file).write_text(f"{os.getpid()} {child}")
    time.sleep(60)


def burn() -> None:
    for _ in range(2):
        threading.Thread(target=lambda: [pow(3, 100_000) for _ in iter(int, 1)], daemon=True).start()
    time.sleep(60)


def devour() -> int:
    return len(bytearray(4 << 30))


def fill(path: str) -> None:
    Path(path).write_bytes(bytes(2 << 20))


def refuse() -> None:
    raise AudioRefused("not_audio", "This is no sound.")


def fail() -> None:
    raise RuntimeError("a fault of the code")


def leave() -> None:
    os._exit(0)


def chatter() -> str:
    """Prints a great deal to both streams before the answer."""
    os.write(1, b"noise from a library\n" * 20_000)
    os.write(2, b"warning\n" * 50_000)
    return "said"


def environment() -> dict[str, str]:
    return dict(os.environ)


def whoami() -> dict[str, int]:
    return {"pid": os.getpid(), "parent": os.getppid(), "group": os.getpgrp()}


def echo(**arguments: object) -> object:
    return arguments


def _serve() -> None:
    if os.environ.get("PYTHONPATH") is None:
        sys.exit("not started by run()")
    own = "common.audio.tests.faulty"
    names = (
        "segfault",
        "sleep",
        "burn",
        "devour",
        "fill",
        "refuse",
        "fail",
        "leave",
        "chatter",
        "environment",
        "whoami",
        "echo",
    )
    serve({name: f"{own}:{name}" for name in names})


if __name__ == "__main__":
    _serve()
