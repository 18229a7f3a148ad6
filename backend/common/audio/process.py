"""A task in a child process with limits, so that no file and no C library can take the server with it.

The parent calls `run(module, task, arguments)`; the child is `python -m module`, whose `__main__` calls
`serve(tasks)`. One JSON object goes in on stdin and one line of JSON comes out on stdout.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import resource
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.audio.errors import CodedError, IsolationFailed

Task = Callable[..., Any]

_ROOT = str(Path(__file__).resolve().parents[2])
_ANSWER, _MESSAGES = 1 << 20, 65_536  # bytes kept: the first of stdout, the last of stderr
_GRACE_S = 5  # after which a child whose parent has died ends itself


@dataclass(frozen=True)
class Bounds:
    """Limits of a child: `timeout_s` of wall clock and of processor time, address space, size of a file."""

    timeout_s: float = 30.0
    memory_bytes: int = 1 << 30
    file_bytes: int = 1 << 30


def _environment() -> dict[str, str]:
    """What a child needs to start and nothing else: no keys, no addresses."""
    passed = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    # A numeric library reserves address space per thread, which the limit counts.
    return passed | {
        "PYTHONPATH": _ROOT,
        "LC_ALL": "C.UTF-8",
        "HOME": tempfile.gettempdir(),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


def _read(process: subprocess.Popen[bytes], deadline: float) -> tuple[bytes, bytes] | None:
    """A bounded part of stdout and stderr, read until the child has closed both; None past the deadline."""
    kept = {process.stdout: b"", process.stderr: b""}
    with selectors.DefaultSelector() as selector:
        for stream in kept:
            assert stream is not None  # noqa: S101 - both are pipes
            selector.register(stream, selectors.EVENT_READ, stream)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            for key, _ in selector.select(left):
                chunk = os.read(key.fd, 65_536)
                if not chunk:
                    selector.unregister(key.fileobj)
                if key.data is process.stdout:
                    kept[key.data] += chunk[: _ANSWER - len(kept[key.data])]
                else:
                    kept[key.data] = (kept[key.data] + chunk)[-_MESSAGES:]
    return kept[process.stdout], kept[process.stderr]


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):  # all have ended by themselves
        os.killpg(process.pid, signal.SIGKILL)


def run(
    module: str,
    task: str,
    arguments: Mapping[str, Any],
    *,
    bounds: Bounds,
    raises: Sequence[type[CodedError]] = (),
) -> Any:
    """The task's answer, as JSON gives it back. Safe to call from any thread.

    Raises IsolationFailed, or one of `raises` if the task raised it. The child leads a process group of
    its own, which is killed when the time is over.
    """
    request = {
        "task": task,
        "arguments": arguments,
        "timeout_s": bounds.timeout_s,
        "memory_bytes": bounds.memory_bytes,
        "file_bytes": bounds.file_bytes,
    }
    deadline = time.monotonic() + bounds.timeout_s
    with tempfile.TemporaryFile() as stdin:
        stdin.write(json.dumps(request).encode())
        stdin.seek(0)
        process = subprocess.Popen(  # noqa: S603 - a fixed command; what varies is data on stdin
            [sys.executable, "-P", "-X", "faulthandler", "-m", module],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            start_new_session=True,
        )
        with process:
            try:
                streams = _read(process, deadline)
                if streams is not None:
                    process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                streams = None
            finally:
                if process.poll() is None:
                    _kill_group(process)
    if streams is None:
        raise IsolationFailed(
            "timed_out", f"It took longer than the {bounds.timeout_s:g} s that are allowed."
        )
    return _answer(process.returncode, *streams, raises=raises)


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


def _limit(request: Mapping[str, Any]) -> None:
    seconds = math.ceil(request["timeout_s"])
    resource.setrlimit(resource.RLIMIT_AS, (request["memory_bytes"],) * 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (request["file_bytes"],) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(seconds + _GRACE_S)


def _error(error: CodedError) -> dict[str, Any]:
    return {"error": type(error).__name__, "code": error.code, "detail": error.detail}


def serve(tasks: Mapping[str, str]) -> None:
    """The child's side: limits itself, runs the task asked for, answers.

    `tasks` maps a name to "module:function", imported only after the limits stand. What a library prints
    on stdout goes to stderr.
    """
    request = json.load(sys.stdin)
    _limit(request)
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        module, _, name = tasks[request["task"]].partition(":")
        function = getattr(__import__(module, fromlist=[name]), name)
        reply = {"result": function(**request["arguments"])}
    except CodedError as error:
        reply = _error(error)
    except MemoryError:
        reply = _error(IsolationFailed("out_of_memory", "It needed more memory than is allowed."))
    except OSError as error:
        if error.errno not in (errno.EFBIG, errno.ENOMEM):
            raise
        code, what = (
            ("output_too_large", "output") if error.errno == errno.EFBIG else ("out_of_memory", "memory")
        )
        reply = _error(IsolationFailed(code, f"It needed more {what} than is allowed."))
    with answer:
        json.dump(reply, answer)
        answer.write("\n")
