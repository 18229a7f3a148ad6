"""What a server needs for itself before it starts: its port and its data folder."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class CannotStart(Exception):
    """The server cannot start. The message is one sentence that says the mend."""


def claim_port(host: str, port: int) -> socket.socket:
    """A socket that listens on `host`:`port` (0: any free port); raises `CannotStart`.

    Listening this early means that whoever connects while the database is prepared waits, and is served.
    """
    everywhere = host == "::" and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048, dualstack_ipv6=everywhere)
    except OSError as error:
        raise CannotStart(_port_sentence(host, port, error)) from error


def _port_sentence(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"Port {port} on {host} is in use: stop what uses it, or choose another with PORT={port + 1}."
            )
        case errno.EACCES:
            return f"Port {port} is reserved for the system: choose one above 1023, such as PORT=8000."
        case _:
            return (
                f"{host} is no address of this machine: set HOST=127.0.0.1, or HOST=0.0.0.0 for all of them."
            )


@contextmanager
def claimed_folder(folder: Path) -> Iterator[None]:
    """Holds the data folder for this process alone; raises `CannotStart` when another server holds it.

    Two embedded servers on one folder would share a database but no messages. The lock falls with the process,
    however that ends.
    """
    with (folder / "serve.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CannotStart(
                f"Another server (process {lock.read().strip() or 'unknown'}) works in {folder}: stop it, or set"
                " SYNC2GEAR_DATA to another folder."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
