"""The side of `common.audio.process` that works: one process that has imported what its tasks need, and forks for each.

It looks at no file from outside itself. What it forks is a process of its own for one task, in a session of its own,
under limits, and is killed with all it started as soon as whoever asked for it is gone or has waited long enough.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import json
import math
import os
import resource
import selectors
import signal
import socket
import traceback
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from common.audio.errors import CodedError, IsolationFailed

Task = Callable[..., Any]

TAKEN = b"t"
"""What the asker hears first: a process is at work. Its exit status follows, as text."""
_IDLE_S = 60.0
_GRACE_S = 5  # after which a task that nobody can stop any more ends itself


def serve(tasks: Mapping[str, str]) -> None:
    """Serves the socket on stdin until its other end is closed or nobody asks for a minute.

    `tasks` maps a name to "module:function". Each message carries four descriptors: a file with the request as JSON,
    what shall be stdout and stderr of the task, and a socket for its exit status, whose end means: kill it.
    """
    known = {name: _imported(place) for name, place in tasks.items()}
    gc.freeze()  # a collection in a forked process would copy every page that it looks at
    _Forks(known, socket.socket(fileno=os.dup(0))).run()


def _imported(place: str) -> Task:
    module, _, name = place.partition(":")
    task: Task = getattr(__import__(module, fromlist=[name]), name)
    return task


class _Forks:
    """What runs: the process of each task and the socket of its asker."""

    def __init__(self, tasks: Mapping[str, Task], orders: socket.socket) -> None:
        self._tasks, self._orders = tasks, orders
        self._askers: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(orders, selectors.EVENT_READ)
        self._ended, told = socket.socketpair()
        self._told = told
        for end in (self._ended, told):
            end.setblocking(False)
        self._selector.register(self._ended, selectors.EVENT_READ)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)

    def run(self) -> None:
        """Takes orders, reaps, and kills what nobody waits for."""
        while True:
            ready = self._selector.select(_IDLE_S)
            if not ready and not self._askers:
                return
            for key, _ in ready:
                if key.fileobj is self._ended:
                    self._ended.recv(4096)
                    self._reap()
                elif key.fileobj is self._orders:
                    if not self._take():
                        return
                elif key.data in self._askers:
                    _kill(key.data)
                    self._selector.unregister(key.fileobj)

    def _take(self) -> bool:
        """Forks for one order; False when there will be no more."""
        message, descriptors, _, _ = socket.recv_fds(self._orders, 1, 4)
        if not message:
            for pid in self._askers:
                _kill(pid)
            return False
        pid = os.fork()
        if not pid:
            self._become(descriptors)
        for descriptor in descriptors[:3]:
            os.close(descriptor)
        asker = self._askers[pid] = socket.socket(fileno=descriptors[3])
        self._selector.register(asker, selectors.EVENT_READ, pid)
        _say(asker, TAKEN)
        return True

    def _reap(self) -> None:
        while self._askers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            with self._askers.pop(pid) as asker:
                if asker in self._selector.get_map():
                    self._selector.unregister(asker)
                _say(asker, str(os.waitstatus_to_exitcode(status)).encode())

    def _become(self, descriptors: list[int]) -> NoReturn:
        """The forked process: gives back what is not its own, does its task, ends."""
        status = 1
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for target, descriptor in enumerate(descriptors[:3]):
                os.dup2(descriptor, target)
            self._selector.close()
            for other in (self._orders, self._ended, self._told, *self._askers.values()):
                other.close()
            for descriptor in descriptors:
                os.close(descriptor)
            _work(self._tasks)
            status = 0
        except BaseException:  # noqa: BLE001  # told on stderr and by the status, which is all that this process is for
            traceback.print_exc()
        finally:
            os._exit(status)


def _say(asker: socket.socket, words: bytes) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # nobody waits any more
        asker.send(words)


def _kill(pid: int) -> None:
    """Kills a process that is not reaped yet, with its whole session."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:  # it has no session of its own yet
        os.kill(pid, signal.SIGKILL)


def _limit(request: Mapping[str, Any]) -> None:
    seconds = math.ceil(request["timeout_s"])
    resource.setrlimit(resource.RLIMIT_AS, (request["memory_bytes"],) * 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (request["file_bytes"],) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(seconds + _GRACE_S)


def _error(error: CodedError) -> dict[str, Any]:
    return {"error": type(error).__name__, "code": error.code, "detail": error.detail}


def _work(tasks: Mapping[str, Task]) -> None:
    """Limits itself, runs the task asked for on stdin in the environment given there, answers on stdout.

    What a library prints on stdout goes to stderr.
    """
    with open(0, encoding="utf-8", closefd=False) as stdin:
        request = json.load(stdin)
    os.environ.clear()
    os.environ.update(request["environment"])
    _limit(request)
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answer:
        os.dup2(2, 1)
        json.dump(_reply(tasks[request["task"]], request["arguments"]), answer)
        answer.write("\n")


def _reply(task: Task, arguments: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {"result": task(**arguments)}
    except CodedError as error:
        return _error(error)
    except MemoryError:
        return _error(IsolationFailed("out_of_memory", "It needed more memory than is allowed."))
    except OSError as error:
        if error.errno not in (errno.EFBIG, errno.ENOMEM):
            raise
        code, what = (
            ("output_too_large", "output") if error.errno == errno.EFBIG else ("out_of_memory", "memory")
        )
        return _error(IsolationFailed(code, f"It needed more {what} than is allowed."))
