"""A business's own system: a real HTTP server on loopback that keeps what it was sent and answers as told."""

from __future__ import annotations

import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE_S = 20.0


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answer` writes the answer to a request; by default 204."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    answers: deque[Callable[[Any], None]] = field(default_factory=deque)
    """The answers to come, in order; afterwards 204."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hook?shop=7"

    def will(self, *answers: int | Callable[[Any], None]) -> None:
        """Answers the next requests so: a status, or a function that gets the request's handler."""
        self.answers += [status(each) if isinstance(each, int) else each for each in answers]

    def await_requests(self, number: int) -> None:
        """Returns when so many have come."""
        deadline = time.monotonic() + PATIENCE_S
        while len(self.received) < number:
            assert time.monotonic() < deadline, f"{len(self.received)} of {number} came"
            time.sleep(0.005)


def status(code: int, body: bytes = b"", **headers: str) -> Callable[[Any], None]:
    """Answers with this status; `retry_after="7"` is the header Retry-After."""

    def answer(handler: Any) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@contextmanager
def receiving(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver for the block."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = receiver.answers.popleft() if receiver.answers else status(204)
            receiver.received.append(Received(self.path, headers, body))
            try:
                answer(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the caller has had enough

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A caller that refuses our certificate is no error of ours."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE_S)
