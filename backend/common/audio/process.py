"""A task in a process of its own with limits, so that no file and no C library can take the server with it.

The parent calls `run(module, task, arguments)`. `python -m module`, whose `__main__` calls `forkserver.serve(tasks)`,
is started when it is needed, imports what its tasks need, and forks for each; it ends when it was idle for a minute.
One JSON object goes in on stdin and one line of JSON comes out on stdout.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.audio.errors import CodedError, IsolationFailed
from common.audio.forkserver import TAKEN

_ROOT = str(Path(__file__).resolve().parents[2])
_ANSWER, _MESSAGES = 1 << 20, 65_536  # bytes kept: the first of stdout, the last of stderr


@dataclass(frozen=True)
class Bounds:
    """Limits of a task: `timeout_s` of wall clock and of processor time, address space, size of a file."""

    timeout_s: float = 30.0
    memory_bytes: int = 1 << 30
    file_bytes: int = 1 << 30


def _environment() -> dict[str, str]:
    """What a task needs and nothing else: no keys, no addresses."""
    passed = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    # A numeric library reserves address space per thread, which the limit counts, and threads are not forked. It asks
    # for the same large blocks again and again, which glibc would give back to the kernel each time.
    return passed | {
        "PYTHONPATH": _ROOT,
        "LC_ALL": "C.UTF-8",
        "HOME": tempfile.gettempdir(),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
        "MALLOC_TRIM_THRESHOLD_": str(128 << 20),
    }


class _ForkServer:
    """The process that forks for the tasks of one module, and the socket to it."""

    def __init__(self, module: str) -> None:
        self._orders, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - a fixed command; what varies is data
                [sys.executable, "-P", "-X", "faulthandler", "-m", module],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=_environment(),
                start_new_session=True,
            )

    def order(self, descriptors: Sequence[int]) -> None:
        """Asks for a task; see `forkserver.serve`. Raises OSError when the process has ended."""
        socket.send_fds(self._orders, [b"o"], descriptors)

    def disown(self) -> None:
        """Closes the socket alone: whose process it is, looks after it."""
        self._orders.close()

    def end(self) -> None:
        """Ends the process, and what it forked."""
        self._orders.close()
        self._process.wait()


_servers: dict[str, _ForkServer] = {}
_one_at_a_time = threading.Lock()


def _ordered(module: str, descriptors: Sequence[int]) -> _ForkServer | None:
    """The server that was asked for a task, started if there is none; None when it had just ended."""
    with _one_at_a_time:
        server = _servers.get(module)
        if server is None:
            server = _servers[module] = _ForkServer(module)
        try:
            server.order(descriptors)
        except OSError:
            del _servers[module]
            server.end()
            return None
        return server


def _ended(module: str, server: _ForkServer) -> None:
    with _one_at_a_time:
        if _servers.get(module) is server:
            del _servers[module]
            server.end()


@atexit.register
def _end_all() -> None:
    while _servers:
        _servers.popitem()[1].end()


def _disown_all() -> None:
    """In a process that was forked from this one, which asks servers of its own."""
    global _one_at_a_time
    _one_at_a_time = threading.Lock()
    while _servers:
        _servers.popitem()[1].disown()


os.register_at_fork(after_in_child=_disown_all)


def _begun(module: str, stdin: int, stdout: int, stderr: int, deadline: float) -> socket.socket:
    """Where the exit status of the task will come from; closing it kills the task.

    Raises TimeoutError past the deadline, IsolationFailed if there is no process that takes the task.
    """
    for _ in range(2):  # a server that was idle for a minute may end while it is asked
        asker, theirs = socket.socketpair()
        with theirs:
            server = _ordered(module, (stdin, stdout, stderr, theirs.fileno()))
        if server is not None:
            try:
                asker.settimeout(max(0.1, deadline - time.monotonic()))
                if asker.recv(1) == TAKEN:
                    return asker
            except BaseException:
                asker.close()
                raise
            _ended(module, server)
        asker.close()
    raise IsolationFailed("crashed", "The process that does this work does not start.")


def _read(stdout: int, stderr: int, deadline: float) -> tuple[bytes, bytes]:
    """A bounded part of stdout and stderr, read until the task has closed both. Raises TimeoutError."""
    kept = {stdout: b"", stderr: b""}
    with selectors.DefaultSelector() as selector:
        for stream in kept:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            for key, _ in selector.select(left):
                chunk = os.read(key.fd, 65_536)
                if not chunk:
                    selector.unregister(key.fd)
                if key.fd == stdout:
                    kept[stdout] += chunk[: _ANSWER - len(kept[stdout])]
                else:
                    kept[stderr] = (kept[stderr] + chunk)[-_MESSAGES:]
    return kept[stdout], kept[stderr]


def _ran(module: str, request: bytes, deadline: float) -> tuple[int, bytes, bytes]:
    """Exit status, stdout and stderr of a task. Raises TimeoutError; the task does not outlive this call."""
    with ExitStack() as stack:
        stdin = stack.enter_context(tempfile.TemporaryFile())
        stdin.write(request)
        stdin.seek(0)
        ends = [os.pipe(), os.pipe()]
        for reading, _ in ends:
            stack.callback(os.close, reading)
        try:
            asker = stack.enter_context(_begun(module, stdin.fileno(), ends[0][1], ends[1][1], deadline))
        finally:
            for _, writing in ends:
                os.close(writing)
        streams = _read(ends[0][0], ends[1][0], deadline)
        asker.settimeout(max(0.1, deadline - time.monotonic()))
        status = asker.recv(16)
    if not status:
        raise IsolationFailed("crashed", "The process that watched over the task has ended.")
    return int(status), *streams


def run(
    module: str,
    task: str,
    arguments: Mapping[str, Any],
    *,
    bounds: Bounds,
    raises: Sequence[type[CodedError]] = (),
) -> Any:
    """The task's answer, as JSON gives it back. Safe to call from any thread.

    Raises IsolationFailed, or one of `raises` if the task raised it. The task leads a process group of
    its own, which is killed when the time is over.
    """
    request = {
        "task": task,
        "arguments": arguments,
        "environment": _environment(),
        "timeout_s": bounds.timeout_s,
        "memory_bytes": bounds.memory_bytes,
        "file_bytes": bounds.file_bytes,
    }
    try:
        ended = _ran(module, json.dumps(request).encode(), time.monotonic() + bounds.timeout_s)
    except TimeoutError as late:
        raise IsolationFailed(
            "timed_out", f"It took longer than the {bounds.timeout_s:g} s that are allowed."
        ) from late
    return _answer(*ended, raises=raises)


def _answer(status: int, stdout: bytes, stderr: bytes, *, raises: Sequence[type[CodedError]]) -> Any:
    said = stderr.decode(errors="replace").strip()[-2000:]
    if status == -signal.SIGXCPU:
        raise IsolationFailed("timed_out", "It used more processor time than is allowed.")
    if status < 0:
        raise IsolationFailed("crashed", f"The process was ended by {_signal_name(-status)}. {said}".strip())
    if status > 0:
        raise IsolationFailed("crashed", f"The process ended with status {status}. {said}".strip())
    try:
        answer = json.loads(stdout)
        if "result" in answer:
            return answer["result"]
        error, code, detail = answer["error"], str(answer["code"]), str(answer["detail"])
    except (ValueError, KeyError, TypeError) as fault:
        raise IsolationFailed(
            "bad_answer", f"The process answered {stdout[:200]!r}. {said}".strip()
        ) from fault
    for kind in (*raises, IsolationFailed):
        if kind.__name__ == error:
            raise kind(code, detail)
    raise IsolationFailed("bad_answer", f"The process raised {error}, which is not expected: {detail}")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
