"""The server's processes: two that hold sockets, two schedulers. Each may die at any statement that it sends.

They call what the real processes call: the ticks, `EventLedger`, `store.touch`, `plan_of`. One database, so a
transaction of one runs before or after that of another, as the locks of the real ones have it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from django.db import connection

from common.tenancy import system_scope
from devices import protocol, store
from devices.desired import desired_of
from devices.hub import Frame, HubMessage, Plays, Shut, Wake, stamped
from devices.models import Device
from devices.ports import DeviceReport
from events.delivery import EventLedger
from events.sweeper import sweep
from plans.kept import answer
from playlists import airing as programmes
from playlists import renewal
from schedules import airing
from simulation.kernel import MS, SECOND, Kernel
from simulation.wire import Wire

LINGER = 200 * MS
"""In the real process what arrives during a write is stored by the next one."""
RESTART = 3 * SECOND
DIES_WITHIN = 40
"""A process that is to die does so at one of so many statements, or survives if it sends fewer."""


class Killed(BaseException):
    """SIGKILL: nothing of the process's own code may catch it."""


class Server:
    """All processes, and the bus between them."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.webs = [Web(self, number) for number in range(2)]
        self.schedulers = [Scheduler(self) for _ in range(2)]
        self.bus_loses = 0.0
        """The share of the bus's messages that a process does not get."""
        self.doomed = 0.0
        """The chance of a unit of work to be its process's last."""

    def publish(self, *messages: HubMessage) -> None:
        """What `devices.bus.publish` does, to whichever process is there to hear it."""
        for web in self.webs:
            delay = self.kernel.rng.uniform(1 * MS, 20 * MS)
            for message in messages:
                if self.kernel.rng.random() >= self.bus_loses:
                    self.kernel.after(delay, web.hear, message)

    @contextmanager
    def mortal(self, process: Process) -> Iterator[None]:
        """A unit of work of `process`, which may die in it: then what has not been committed is gone."""
        rng = self.kernel.rng
        left = rng.randrange(1, DIES_WITHIN) if rng.random() < self.doomed else None

        def die_in_time(execute: Callable[..., Any], *arguments: Any) -> Any:
            nonlocal left
            if left is not None:
                left -= 1
                if left <= 0:
                    left = None
                    raise Killed
            return execute(*arguments)

        try:
            with connection.execute_wrapper(die_in_time), system_scope("a simulated process"):
                yield
        except Killed:
            process.kill()

    def fetch_plan(self, device_pk: int, etag: str) -> bytes | None:
        """A speaker's GET of its plan: the document, or None for "as before"."""
        with system_scope("a simulated request"):
            device = Device.objects.select_related("floor", "client").get(pk=device_pk)
            return answer(device, known={etag}, now=self.kernel.instant).document

    @property
    def deaths(self) -> int:
        """How often a process has died."""
        return sum(process.deaths for process in (*self.webs, *self.schedulers))


class Process:
    """What can be killed, and is started again by its supervisor."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.alive = True
        self.deaths = 0

    def kill(self, away: int = RESTART) -> None:
        """Ends it at once; it is back after so many µs."""
        if self.alive:
            self.alive = False
            self.deaths += 1
            self.server.kernel.after(away, self.start)

    def start(self) -> None:
        """It is back, and remembers nothing."""
        self.alive = True


class Scheduler(Process):
    """A beat and its worker."""

    def tick(self) -> None:
        """One turn of what comes back by itself."""
        now = self.server.kernel.instant
        for work in (airing.plan_ahead, renewal.renew, programmes.write_ahead, sweep):
            if self.alive:
                with self.server.mortal(self):
                    work(now=now)


class Web(Process):
    """A process that holds sockets."""

    def __init__(self, server: Server, number: int) -> None:
        super().__init__(server)
        self.number = number
        self.wires: dict[int, Wire] = {}
        self._inbox: list[tuple[Wire, protocol.Message]] = []
        self._asked: list[tuple[list[int], bool]] = []

    def kill(self, away: int = RESTART) -> None:
        """The operating system closes its sockets: the speakers notice at once."""
        super().kill(away)
        wires, self.wires, self._inbox, self._asked = self.wires, {}, [], []
        for wire in wires.values():
            wire.cut(speaker_notices=1 * MS, web_notices=0)

    def open(self, wire: Wire) -> None:
        """A speaker has connected; its hello is on the way."""
        older = self.wires.get(wire.speaker.pk)
        self.wires[wire.speaker.pk] = wire
        if older is not None:
            older.cut(speaker_notices=1 * MS, web_notices=0)

    def lost(self, wire: Wire) -> None:
        """The connection is gone, and the process has noticed."""
        if self.wires.get(wire.speaker.pk) is wire:
            del self.wires[wire.speaker.pk]

    def arrived(self, wire: Wire, frame: str) -> None:
        """A frame of a speaker; what speakers say within LINGER is stored by one statement."""
        if not self.alive:
            return
        if not self._inbox:
            self.server.kernel.after(LINGER, self._store)
        self._inbox.append((wire, protocol.decode_inbound(frame)))

    def hear(self, message: HubMessage) -> None:
        """One message of the bus, as `devices.hub.Hub` carries it out."""
        if not self.alive:
            return
        match message:
            case Plays(common=common, targets=targets):
                for target in targets:
                    self._say(
                        target.device,
                        msgspec.structs.replace(
                            common,
                            event_id=target.event_id,
                            volume=target.volume,
                            play_at=target.play_at,
                            expires_at=target.expires_at,
                        ),
                    )
            case Frame(devices=devices, message=said):
                for device in devices:
                    self._say(device, said)
            case Shut(devices=devices):
                for device in devices:
                    if device in self.wires:
                        self.wires[device].cut(speaker_notices=1 * MS, web_notices=0)
            case Wake(devices=devices):
                self.deliver([device for device in devices if device in self.wires], reconnected=False)

    def look(self) -> None:
        """What comes back by itself: leases, and what nobody has acknowledged."""
        if self.alive and self.wires:
            with self.server.mortal(self):
                Device.objects.filter(pk__in=self.wires).update(last_seen=self.server.kernel.instant)
                self.deliver(list(self.wires), reconnected=False)

    def deliver(self, devices: Sequence[int], *, reconnected: bool) -> None:
        """`Runtime.deliver_due`."""
        if not devices:
            return
        with self.server.mortal(self):
            due = EventLedger().due(devices, reconnected=reconnected, now=self.server.kernel.instant)
            for device, plays in due.items():
                for play in plays:
                    self._say(device, play)

    def _say(self, device: int, message: Any) -> None:
        wire = self.wires.get(device)
        if wire is not None:
            wire.down(protocol.encode(stamped(message)))

    def _store(self) -> None:
        inbox, self._inbox = self._inbox, []
        now = self.server.kernel.instant
        hellos = [(wire, said) for wire, said in inbox if isinstance(said, protocol.Hello)]
        reports = [DeviceReport(wire.speaker.pk, said, now) for wire, said in inbox if _is_report(said)]
        with self.server.mortal(self):
            if reports:
                EventLedger().store(reports, now=now)
        if not self.alive:
            return
        for report in reports:
            if isinstance(report.message, protocol.PlaybackComplete):
                self._say(report.device_pk, protocol.ReceiptAck(event_ids=[report.message.event_id or ""]))
        if hellos:
            with self.server.mortal(self):
                self._greet(hellos)

    def _greet(self, hellos: Sequence[tuple[Wire, protocol.Hello]]) -> None:
        now = self.server.kernel.instant
        devices = Device.objects.select_related("floor", "client").in_bulk([w.speaker.pk for w, _ in hellos])
        for wire, _ in hellos:
            device = devices[wire.speaker.pk]
            welcome = protocol.Welcome(
                session=str(id(wire)), desired=desired_of(device, now), plan_url="/plan"
            )
            wire.down(protocol.encode(stamped(welcome)))
        store.touch(
            [
                store.Touch(
                    device_pk=wire.speaker.pk,
                    session_id=wire.speaker.name,
                    at=now,
                    takes_over=True,
                    values={"applied_rev": said.applied_rev, "required_lead_ms": said.required_lead_ms},
                )
                for wire, said in hellos
            ]
        )
        self.deliver([wire.speaker.pk for wire, _ in hellos], reconnected=True)


def _is_report(message: protocol.Message) -> bool:
    return isinstance(message, protocol.Ack | protocol.PlaybackStarted | protocol.PlaybackComplete)
