"""The device socket: a lean ASGI endpoint in Channels' routing (`ws/devices/<device_id>/`).

It authenticates, feeds each frame to the pure `DeviceSession`, and carries out the effects. It is not a Channels
consumer, because that awaits a hop to the ORM's thread for each message: here a time probe is answered with no
database and no broker between its arrival and its answer.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from django.conf import settings
from django.db import Error as DatabaseError
from redis import RedisError

from common import clock, logs
from common.batching import Overloaded
from common.middleware import address_of
from devices import counting, protocol, runtime
from devices.admission import SocketGate, came_by_https, is_own_origin
from devices.credentials import Credential, bearer_of
from devices.desired import message_of
from devices.domain.session import DeviceSession, Effect, Reply, Report, Shut, Welcomed
from devices.frames import EXTENSION
from devices.hub import Link, stamped
from devices.ports import DeviceReport
from devices.protocol import SUBPROTOCOL, TICKET_SUBPROTOCOL_PREFIX, CloseCode
from devices.store import Known, Touch

logger = logging.getLogger(__name__)
comings = logging.getLogger(logs.SOCKETS)

GATE = SocketGate()
"""This process's."""

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def device_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """ASGI 3 endpoint of one device's socket."""
    await DeviceConnection(scope, receive, send).run()


class DeviceConnection:
    """One device's connection from the upgrade to its end."""

    def __init__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        self.scope = scope
        self._receive = receive
        self._send = send
        self.runtime = runtime.running()
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self.offered: list[str] = list(scope.get("subprotocols") or [])
        self.plain = not self.offered
        self.address = self._address()
        self.session_id = secrets.token_hex(8)
        self.session = DeviceSession.opened(plain=self.plain, now_us=clock.now_us())
        self.device: Known
        self.link: Link | None = None
        self._closed_with: int | None = None
        self._reading: asyncio.Timeout | None = None
        self._background: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serves the socket until either side ends it."""
        first = await self._receive()
        if first["type"] != "websocket.connect":
            return
        if refusal := self._refused_at_the_door():
            await self._send({"type": "websocket.close", "code": CloseCode.FORBIDDEN, "reason": refusal})
            return
        speaks_v1 = SUBPROTOCOL in self.offered
        await self._send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL if speaks_v1 else None})
        if self.offered and not speaks_v1:
            await self._refuse(CloseCode.VERSION, "version", f"This server speaks {SUBPROTOCOL}.")
            return
        if self._comes_too_often():
            await self._refuse(
                CloseCode.OVERLOAD, "overload", "This device connects too often; come back later."
            )
            return
        if not await self._admitted():
            return
        with logs.about(device=self.device.pk, client=self.device.client_id):
            try:
                await self._serve()
            finally:
                await self._leave()

    # --- getting in ---

    def _refused_at_the_door(self) -> str:
        """Why there is no upgrade (the browser or speaker sees HTTP 403); empty if there is one."""
        if settings.SECURE_SSL_REDIRECT and not came_by_https(
            scheme=self.scope.get("scheme", ""),
            forwarded_proto=self.headers.get("x-forwarded-proto", ""),
            trusted_proxies=settings.TRUSTED_PROXIES,
        ):
            return "https_required"
        origin, host = self.headers.get("origin"), self.headers.get("host", "")
        allowed = [settings.PUBLIC_URL, *settings.CORS_ALLOWED_ORIGINS]
        if origin and not is_own_origin(origin, host=host, allowed=allowed):
            return "foreign_origin"
        return ""

    def _comes_too_often(self) -> bool:
        wanted = self.scope["url_route"]["kwargs"]["device_id"]
        return settings.RATE_LIMITS and not GATE.lets_in(self.address or "", wanted, now_us=clock.now_us())

    def _credential(self) -> Credential:
        for offered in self.offered:
            if offered.startswith(TICKET_SUBPROTOCOL_PREFIX):
                return Credential(ticket=offered.removeprefix(TICKET_SUBPROTOCOL_PREFIX))
        return Credential(token=bearer_of(self.headers.get("authorization", "")))

    async def _admitted(self) -> bool:
        credential = self._credential()
        device: Known | None = None
        if credential.token or credential.ticket:
            try:
                device = await self.runtime.recognise(credential)
            except (Overloaded, DatabaseError, RedisError) as error:
                logger.warning("a device could not be looked up: %s", error)
                await self._refuse(CloseCode.OVERLOAD, "overload", "Nobody can be let in now; come back.")
                return False
        wanted = self.scope["url_route"]["kwargs"]["device_id"]
        if device is None or device.device_id != wanted:
            await self._refuse(CloseCode.BAD_TOKEN, "bad_token", "No valid token for this device.")
            return False
        if device.revoked:
            await self._refuse(CloseCode.FORBIDDEN, "revoked", "The token of this device was revoked.")
            return False
        self.device = device
        return True

    async def _refuse(self, close_code: int, code: str, detail: str) -> None:
        counting.CONNECTS.labels(code).inc()
        if not self.plain:
            error = stamped(protocol.Error(code=code, detail=detail))
            await self._send({"type": "websocket.send", "text": protocol.encode(error).decode()})
        await self._send({"type": "websocket.close", "code": close_code, "reason": code})

    # --- serving ---

    async def _serve(self) -> None:
        self.link = Link(
            device_pk=self.device.pk,
            session_id=self.session_id,
            plain=self.plain,
            origin=self._origin(),
            send=self._send,
            on_plain_play=self._plain_play_sent,
            on_broken=self._end,
            **self._written_straight(),
        )
        if self.plain:
            self._arrived(None)
        overdue = asyncio.get_running_loop().call_later(protocol.HELLO_TIMEOUT_S, self._hello_overdue)
        self._reading = reading = asyncio.timeout(None)
        try:
            async with reading:
                await self._read()
        except Exception:
            if not reading.expired():
                logger.exception("session of device %s failed", self.device.pk)
        finally:
            self._reading = None
            overdue.cancel()

    def _end(self) -> None:
        """Ends the session, whatever it is waiting for."""
        if self._reading is not None and self._reading.when() is None:
            self._reading.reschedule(0)

    async def _read(self) -> None:
        while True:
            event = await self._receive()
            if event["type"] == "websocket.disconnect":
                self._closed_with = event.get("code")
                return
            for effect in self.session.received(event.get("text"), now_us=clock.now_us()):
                await self._carry_out(effect)
            if self.session.closed and self.link is not None:
                await self.link.ended()
                return

    def _hello_overdue(self) -> None:
        for effect in self.session.hello_overdue():
            self._spawn(self._carry_out(effect))

    async def _carry_out(self, effect: Effect) -> None:
        assert self.link is not None  # noqa: S101  # _serve made it before the first frame was read
        match effect:
            case Reply(message=protocol.TimeReply() as reply):
                answer = msgspec.structs.replace(stamped(reply), t3=clock.now_us())
                await self._send({"type": "websocket.send", "text": protocol.encode(answer).decode()})
            case Reply(message=message):
                self.link.put(protocol.encode(stamped(message)))
            case Welcomed(hello=hello):
                self._arrived(hello)
            case Report(message=message):
                self._report(message)
            case Shut(close_code=close_code, code=code, detail=detail):
                self._closed_with = close_code
                self.link.shut(close_code, code, detail)

    def _arrived(self, hello: protocol.Hello | None) -> None:
        """The session is good: it becomes the device's only one, and hears what is due.

        Nothing is waited for here: the frames behind the hello are time probes.
        """
        assert self.link is not None  # noqa: S101  # as above
        values: dict[str, Any] = {"plain": hello is None, "ip_address": self.address}
        if hello is not None:
            values |= {
                "boot_id": hello.boot_id,
                "software": hello.software,
                "capabilities": hello.capabilities,
                "plan_etag": hello.plan_etag,
                "applied_rev": hello.applied_rev,
                "required_lead_ms": hello.required_lead_ms,
            } | _clock_columns(hello.clock)
            self.link.put(protocol.encode(stamped(self._welcome())))
        counting.CONNECTS.labels("greeted").inc()
        comings.info("a speaker is here", extra={"address": values["ip_address"], "session": self.session_id})
        self.runtime.hub.join(self.link)
        self._spawn(self._settle_in(values))

    async def _settle_in(self, values: dict[str, Any]) -> None:
        """Ends older sessions on other processes, and delivers what this device may have missed."""
        touched = await self.runtime.touch(self._touch(values, takes_over=True))
        if touched.desired is not None and touched.desired.rev > self.device.desired.rev:
            self._push_desired(
                touched.desired
            )  # changed since the look-up, when nothing could be pushed to us

    def _welcome(self) -> protocol.Welcome:
        return protocol.Welcome(
            session=self.session_id,
            desired=self.device.desired,
            plan_url=f"/api/devices/{self.device.pk}/plan/",
        )

    # --- what the device says ---

    def _report(self, message: protocol.Message) -> None:
        match message:
            case protocol.StatusUpdate():
                self._spawn(self._status(message))
            case protocol.CommandResult():
                result = {"command_id": message.command_id, "ok": message.ok, "error": message.error}
                self._spawn(self._touched({"reported": {"last_command": result}}))
            case protocol.MusicPlayed():
                self._spawn(self._music(message))
            case protocol.Goodbye():
                self._spawn(self._touched({"reported": {"goodbye": message.reason or "bye"}}))
            case _:
                self._spawn(self._ledger(message))

    async def _status(self, status: protocol.StatusUpdate) -> None:
        reported = msgspec.to_builtins(status)
        for envelope in ("type", "id", "ts", "re"):
            reported.pop(envelope, None)
        values: dict[str, Any] = {"reported": reported | {"goodbye": None}}
        if status.clock is not None:
            values |= _clock_columns(status.clock)
        if not self.plain and status.applied_rev is not None:
            values["applied_rev"] = status.applied_rev
        await self._touched(values)
        if not self.plain:
            await self.runtime.observe(DeviceReport(self.device.pk, status, clock.now()))

    async def _touched(self, values: dict[str, Any]) -> None:
        touched = await self.runtime.touch(self._touch(values))
        if not touched.current and self.link is not None:
            self.link.supersede()
        elif touched.desired is not None:
            self._push_desired(touched.desired)

    def _push_desired(self, desired: protocol.Desired) -> None:
        assert self.link is not None  # noqa: S101  # as above
        if not self.plain:
            self.link.put(protocol.encode(stamped(message_of(desired))))

    async def _ledger(self, message: protocol.Message) -> None:
        await self.runtime.report(DeviceReport(self.device.pk, message, clock.now()))
        if isinstance(message, protocol.PlaybackComplete) and message.event_id and not self.plain:
            assert self.link is not None  # noqa: S101  # as above
            receipt = protocol.ReceiptAck(re=message.id or None, event_ids=[message.event_id])
            self.link.put(protocol.encode(stamped(receipt)))

    async def _music(self, message: protocol.MusicPlayed) -> None:
        await self.runtime.music(DeviceReport(self.device.pk, message, clock.now()))
        assert self.link is not None  # noqa: S101  # as above
        report_ids = [stretch.report_id for stretch in message.stretches]
        self.link.put(
            protocol.encode(stamped(protocol.ReceiptAck(re=message.id or None, report_ids=report_ids)))
        )

    def _plain_play_sent(self, play: protocol.PlayAnnouncement) -> None:
        """A plain device acknowledges nothing: having been told is all that can be known."""
        self._spawn(self._ledger(protocol.Ack(event_id=play.event_id, state="armed", reason="plain")))

    # --- small things ---

    def _touch(self, values: dict[str, Any], *, takes_over: bool = False) -> Touch:
        return Touch(
            device_pk=self.device.pk,
            session_id=self.session_id,
            at=clock.now(),
            takes_over=takes_over,
            values=values,
        )

    def _address(self) -> str | None:
        client = self.scope.get("client")
        return address_of(
            peer=client[0] if client else None,
            forwarded_for=self.headers.get("x-forwarded-for"),
            trusted_proxies=settings.TRUSTED_PROXIES,
        )

    def _origin(self) -> str:
        """Where a plain device fetches audio: PUBLIC_URL, else the host under which it found us."""
        if settings.PUBLIC_URL:
            return str(settings.PUBLIC_URL)
        scheme = "https" if self.scope.get("scheme") == "wss" else "http"
        return f"{scheme}://{self.headers.get('host', '')}"

    def _written_straight(self) -> dict[str, Callable[[bytes], bool]]:
        """Where the server takes finished frames, how."""
        offered = (self.scope.get("extensions") or {}).get(EXTENSION)
        return {"write_now": offered["write"]} if offered else {}

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background_ended)

    def _background_ended(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled() and task.exception() is not None:
            # Nothing was acknowledged, so the device sends it again after it has reconnected.
            logger.error("device %s could not be served", self.device.pk, exc_info=task.exception())
            self._end()

    async def _leave(self) -> None:
        if self.link is not None:
            comings.info(
                "a speaker's socket has ended",
                extra={"session": self.session_id, "code": self._closed_with},
            )
            self.runtime.hub.leave(self.link)
            self.link.stop()
        if self._background:
            await asyncio.wait(self._background, timeout=5)


def _clock_columns(reported: protocol.Clock) -> dict[str, Any]:
    return {
        "clock_state": reported.state,
        "clock_error_us": reported.error_us,
        "round_trip_us": reported.round_trip_us,
    }
