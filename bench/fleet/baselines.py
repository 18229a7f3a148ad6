"""The servers that ours is measured against: bare sockets, bare `websockets`, Mosquitto.

Each gets the message through a control connection, as ours gets it from the bus; `websockets` in two processes gets it
from Valkey, as all processes of ours do. Run as a program it serves bare sockets or `websockets` on the port named,
until it is killed.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
import redis.asyncio
import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.typing import Subprotocol

from fleet import wire
from fleet.client import raise_file_limit
from testing.servers import free_port

WELCOME = '{"type":"welcome"}'
CHANNEL = b"bench:fleet"
"""Of Valkey."""
CONTROL = b"control"
"""What the connection says first that carries messages to the bare sockets."""
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(frozen=True, slots=True)
class Baseline:
    """A running server: where, its processes, and how one message goes to all its devices."""

    port: int
    pids: tuple[int, ...]
    send: Callable[[bytes], None]


# --- the programs ----------------------------------------------------------------------------------------


async def serve_websockets(port: int, bus: str = "") -> None:
    """`websockets` and its own broadcast, on uvloop, without compression and keep-alive: as lean as it goes.

    Messages come from a connection to `/control`, and from the channel of the Valkey server at `bus`, if one is named.
    """
    devices: set[ServerConnection] = set()

    async def handler(connection: ServerConnection) -> None:
        assert connection.request is not None
        if connection.request.path == "/control":
            async for message in connection:
                broadcast(devices, message)
            return
        await connection.recv()
        await connection.send(WELCOME)
        devices.add(connection)
        with suppress(ConnectionClosed):
            async for _ in connection:
                pass
        devices.discard(connection)

    speaks = [Subprotocol("sync2gear.v1")]
    lean: dict[str, Any] = {
        "compression": None,
        "ping_interval": None,
        "backlog": 2048,
        "reuse_port": bool(bus),
    }
    async with serve(handler, "127.0.0.1", port, subprotocols=speaks, **lean):
        if not bus:
            await asyncio.Future()
        async with redis.asyncio.Redis.from_url(bus) as client, client.pubsub() as heard:
            await heard.subscribe(CHANNEL)
            async for message in heard.listen():
                if message["type"] == "message":
                    broadcast(devices, message["data"].decode())


def serve_sockets(port: int) -> None:
    """Nothing but sockets: what this machine's kernel and the client cost by themselves."""
    listener = socket.create_server(("127.0.0.1", port), backlog=2048)
    poll = select.epoll()
    poll.register(listener.fileno(), select.EPOLLIN)
    peers: dict[int, socket.socket] = {}
    greeted: set[int] = set()
    sender = -1
    while True:
        for handle, _ in poll.poll():
            if handle == listener.fileno():
                peer, _ = listener.accept()
                peers[peer.fileno()] = peer
                poll.register(peer.fileno(), select.EPOLLIN)
                continue
            data = peers[handle].recv(65536)
            if handle == sender:
                for number in greeted:
                    peers[number].send(data)
            elif data == CONTROL:
                sender = handle
            elif not data:
                poll.unregister(handle)
                greeted.discard(handle)
                peers.pop(handle).close()
            elif data.startswith(b"GET"):
                key = data.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
                accept = base64.b64encode(hashlib.sha1(key + GUID).digest())  # noqa: S324  # RFC 6455 §4.2.2
                peers[handle].send(
                    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    b"Sec-WebSocket-Accept: %b\r\nSec-WebSocket-Protocol: sync2gear.v1\r\n\r\n" % accept
                )
            elif handle not in greeted:
                peers[handle].send(built(WELCOME.encode()))
                greeted.add(handle)


def built(payload: bytes) -> bytes:
    """A server's frame."""
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


# --- from the bench's side -------------------------------------------------------------------------------


@contextmanager
def sockets() -> Iterator[Baseline]:
    """Bare sockets."""
    port = free_port()
    with _program("sockets", port) as pid, socket.create_connection(("127.0.0.1", port)) as control:
        control.sendall(CONTROL)
        yield Baseline(port, (pid,), lambda message: control.sendall(built(message)))


@contextmanager
def websockets() -> Iterator[Baseline]:
    """Bare `websockets`."""
    port = free_port()
    with _program("websockets", port) as pid, socket.create_connection(("127.0.0.1", port)) as control:
        control.sendall(
            b"GET /control HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Protocol: sync2gear.v1\r\n\r\n"
        )
        assert control.recv(4096).startswith(b"HTTP/1.1 101")
        yield Baseline(port, (pid,), lambda message: control.sendall(wire.client_frame(message)))


@contextmanager
def websockets_of_two() -> Iterator[Baseline]:
    """Bare `websockets` in two processes that share a port, fed by a bare publish to Valkey."""
    port, url = free_port(), os.environ["SYNC2GEAR_TEST_REDIS_URL"]
    with (
        _program("websockets", port, url) as first,
        _program("websockets", port, url) as second,
        redis.Redis.from_url(url) as bus,
    ):
        deadline = time.monotonic() + 30
        while dict(bus.pubsub_numsub(CHANNEL))[CHANNEL] < 2:
            assert time.monotonic() < deadline, "the baselines did not subscribe"
            time.sleep(0.05)
        yield Baseline(port, (first, second), lambda message: bus.publish(CHANNEL, message))


@contextmanager
def mosquitto() -> Iterator[Baseline | None]:
    """Mosquitto, which keeps nothing on disk; None where it is not installed."""
    program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if program is None:
        yield None
        return
    port = free_port()
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as settings:
        settings.write(
            f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_type none\n"
            "max_connections -1\nset_tcp_nodelay true\n"
        )
        settings.flush()
        Path(settings.name).chmod(0o644)
        with (
            subprocess.Popen([program, "-c", settings.name]) as process,
            _ended(process),
            connected(port, process) as control,
        ):
            control.sendall(wire.connect(b"bench"))
            assert control.recv(16).startswith(b"\x20")
            yield Baseline(port, (process.pid,), lambda message: control.sendall(wire.publish(message)))


@contextmanager
def _program(name: str, port: int, *more: str) -> Iterator[int]:
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    program = [sys.executable, "-m", "fleet.baselines", name, str(port), *more]
    with (
        subprocess.Popen(program, env=environ) as process,
        _ended(process),
        connected(port, process),
    ):
        yield process.pid


@contextmanager
def _ended(process: subprocess.Popen[Any]) -> Iterator[None]:
    try:
        yield
    finally:
        process.kill()


def connected(port: int, process: subprocess.Popen[Any]) -> socket.socket:
    """A connection to a server that is just starting."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            assert process.poll() is None, "the baseline ended"
            assert time.monotonic() < deadline, "the baseline did not start"
            time.sleep(0.05)


if __name__ == "__main__":
    raise_file_limit()
    kind, at, *fed_by = sys.argv[1], int(sys.argv[2]), *sys.argv[3:]
    if kind == "sockets":
        serve_sockets(at)
    else:
        uvloop.run(serve_websockets(at, *fed_by))
