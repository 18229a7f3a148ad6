"""The web server itself: uvicorn, run from this process, or from as many as WEB_CONCURRENCY says."""

from __future__ import annotations

import resource
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

import uvicorn
from uvicorn.supervisors import Multiprocess

from core.embedded.sockets import Requests, Sockets

LARGEST_FRAME = 1024 * 1024
"""Bytes of a WebSocket frame that are read at all; the device protocol allows far less, and says so itself."""
GRACE_S = 5
"""How long requests may still run once the server has been told to stop."""

SILENT_S = 30
"""A process of several that has not answered its supervisor for so long is replaced."""


class _Server(uvicorn.Server):
    """Tells when it is ready."""

    def __init__(self, config: uvicorn.Config, when_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._when_ready = when_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts, then calls back."""
        await super().startup(sockets=sockets)
        if self.started:
            self._when_ready()


def config_of(application: str) -> uvicorn.Config:
    """uvicorn's settings.

    Frames are not compressed (they are small, and 3,000 deflate contexts are not), proxies' headers are read by
    `common.middleware` alone, and logging is Django's. uvloop and httptools are used where they are installed.
    """
    return uvicorn.Config(
        application,
        http=Requests,
        ws=Sockets,
        ws_max_size=LARGEST_FRAME,
        ws_per_message_deflate=False,
        lifespan="on",
        access_log=False,
        log_config=None,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        timeout_worker_healthcheck=SILENT_S,
    )


def raise_file_limit() -> None:
    """As many open files as the system allows: each speaker is one, and a shell's usual 1,024 are too few."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def leave_quietly_on_signals() -> None:
    """Ctrl-C and SIGTERM end the process with status 0 and no traceback, also while it starts.

    uvicorn takes the signals over while it serves, and hands them on when it has shut down.
    """

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)


def serve(listener: socket.socket, when_ready: Callable[[], None], *, processes: int = 1) -> None:
    """Serves `core.asgi:application` on `listener` until a signal ends it. `when_ready` is called once.

    Several processes share the listener under a supervisor: it replaces one that dies, and on SIGHUP one after the
    other, each once its successor serves, so that new code comes in without silence.
    """
    raise_file_limit()
    config = config_of("core.asgi:application")
    if processes == 1:
        _Server(config, when_ready).run(sockets=[listener])
        return
    config.workers = processes
    when_ready()
    Multiprocess(config, sockets=[listener]).run()
