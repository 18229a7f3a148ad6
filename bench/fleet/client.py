"""The lean client: many devices in a process of their own, on epoll and plain sockets, with no event loop between.

It costs a few microseconds a message besides the kernel's own; `broadcast` measures it against a server that does
nothing but send. One process plays all devices of one server; the bench talks to it over a pipe.
"""

from __future__ import annotations

import multiprocessing
import resource
import select
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from fleet.wire import Device

PATIENCE_S = 90.0
AT_ONCE = 128
"""Connections of one client process that are being opened at a time."""


def raise_file_limit() -> None:
    """As many open files as the system lets this process have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@dataclass(frozen=True, slots=True)
class Heard:
    """When a message came to the devices, s of `time.perf_counter`, which is one clock for all processes."""

    first: float
    half: float
    last: float


@dataclass(frozen=True, slots=True)
class Arrived:
    """When connecting began, and when each device was in, in that order."""

    begun: float
    at: list[float]


class Line:
    """One device's socket."""

    __slots__ = ("device", "inside", "rest", "socket")

    def __init__(self, device: Device, address: tuple[str, int]) -> None:
        self.device = device
        self.inside = False
        self.rest = b""
        self.socket = socket.create_connection(address, timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(device.opening)


class Client:
    """What runs in the client's process."""

    def __init__(self, pipe: Connection, address: tuple[str, int]) -> None:
        self._pipe = pipe
        self._address = address
        self._lines: dict[int, Line] = {}
        self._poll = select.epoll()
        self._poll.register(pipe.fileno(), select.EPOLLIN)
        self._waiting: list[Device] = []
        self._in: list[float] = []
        self._expected = 0
        self._heard: list[float] = []
        self._begun = 0.0

    def run(self) -> None:
        """Until the bench closes the pipe."""
        control = self._pipe.fileno()
        while True:
            for handle, _ in self._poll.poll():
                if handle != control:
                    self._read(self._lines[handle])
                    continue
                try:
                    name, argument = self._pipe.recv()
                except EOFError:
                    return
                getattr(self, name)(argument)

    def connect(self, devices: Sequence[Device]) -> None:
        """Opens a connection for each device, `AT_ONCE` at a time; tells when all are in."""
        self._waiting = list(reversed(devices))
        self._in = []
        self._expected = len(devices)
        self._begun = time.perf_counter()
        for _ in range(min(AT_ONCE, len(devices))):
            self._open()

    def expect(self, count: int) -> None:
        """Counts messages from now on; tells when `count` have come."""
        self._heard = []
        self._expected = count
        self._pipe.send(None)

    def leave(self, _: None) -> None:
        """Closes all connections."""
        for line in self._lines.values():
            line.socket.close()
        self._lines = {}
        self._pipe.send(None)

    def deaf(self, count: int) -> None:
        """The first `count` devices read no more."""
        for handle in list(self._lines)[:count]:
            self._poll.unregister(handle)
        self._pipe.send(None)

    def _open(self) -> None:
        line = Line(self._waiting.pop(), self._address)
        self._lines[line.socket.fileno()] = line
        self._poll.register(line.socket.fileno(), select.EPOLLIN)

    def _read(self, line: Line) -> None:
        received = line.socket.recv(65536)
        if not received:
            raise ConnectionError(f"the server closed a device's socket, {len(self._lines)} were open")
        data = line.rest + received if line.rest else received
        while data:
            if not line.inside:
                step = line.device.opened(data)
                if step is None:
                    break
                reply, used, line.inside = step
                if reply:
                    line.socket.sendall(reply)
                if line.inside:
                    self._entered()
            else:
                found = line.device.whole(data)
                if found is None:
                    break
                reply, counts = line.device.answer(found[0], found[1])
                if counts:
                    self._heard.append(time.perf_counter())
                if reply:
                    line.socket.sendall(reply)
                used = found[2]
                if counts and len(self._heard) == self._expected:
                    self._tell_heard()
            data = data[used:]
        line.rest = data

    def _entered(self) -> None:
        self._in.append(time.perf_counter())
        if self._waiting:
            self._open()
        elif len(self._in) == self._expected:
            self._pipe.send(Arrived(self._begun, self._in))

    def _tell_heard(self) -> None:
        self._pipe.send(Heard(self._heard[0], self._heard[len(self._heard) // 2], self._heard[-1]))


def _play(pipe: Connection, address: tuple[str, int]) -> None:
    raise_file_limit()
    Client(pipe, address).run()


class Fleet:
    """The bench's side of a client process."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def connect(self, devices: Sequence[Device]) -> Arrived:
        """All devices, each of them greeted."""
        arrived: Arrived = self._ask("connect", devices)
        return arrived

    def deaf(self, count: int) -> None:
        """From now on the first `count` devices do not read."""
        self._ask("deaf", count)

    def leave(self) -> None:
        """All devices hang up."""
        self._ask("leave", None)

    def heard(self, count: int, send: Callable[[], Any]) -> tuple[float, Heard]:
        """When `send` was called, and when what it caused had reached `count` devices."""
        self._ask("expect", count)
        begun = time.perf_counter()
        send()
        return begun, self._answer("heard")

    def _ask(self, name: str, argument: Any) -> Any:
        self._pipe.send((name, argument))
        return self._answer(name)

    def _answer(self, name: str) -> Any:
        if not self._pipe.poll(PATIENCE_S):
            raise TimeoutError(f"{name}: not all devices within {PATIENCE_S} s")
        return self._pipe.recv()


@contextmanager
def fleet(port: int) -> Iterator[Fleet]:
    """A client process for the server at `port` of this machine."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_play, args=(theirs, ("127.0.0.1", port)), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Fleet(ours)
    finally:
        ours.close()
        process.join(10)
        process.kill()
