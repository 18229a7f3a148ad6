"""Light speakers: protocol v1 without sound. Each keeps a journal of what it would have let its shop hear.

A speaker fetches its plan, keeps its own idea of the server's clock by time probes, plays what it was ordered and what
its plan names, sends receipts until they are acknowledged, and comes back by the protocol's back-off. It fetches no
audio and mixes nothing: announcements may overlap.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import json
import random
import time
import uuid
from typing import Any

import httpx
import websockets
from websockets.asyncio.client import ClientConnection, connect

from chaos.records import Journal, Receipt, Start
from sync2gear_player.backoff import Backoff
from sync2gear_player.session import SILENT_US

SUBPROTOCOL = websockets.Subprotocol("sync2gear.v1")
PROBE_EVERY_S = 5.0
STATUS_EVERY_S = 15.0
PLAN_EVERY_S = 900.0
PLAN_AHEAD_US = 60 * 60 * 1_000_000
"""Of a plan's day a light speaker keeps so much: four looks at the plan."""
DEAF_AFTER_S = SILENT_US / 1e6
PACE_S = 0.11
"""Between messages that have piled up: a speaker may send ten a second."""
PLANS_AT_ONCE = 20
RATE = 4429
LEAST_CLIP_US = 200_000


class Play:
    """An event that is to be played."""

    __slots__ = ("announcement", "duration", "event", "expires_at", "play_at", "priority")

    def __init__(self, source: dict[str, Any], duration_ms: int) -> None:
        self.event: str = source["event_id"]
        self.announcement: int = source["announcement_id"]
        self.play_at: int = source["play_at"]
        self.expires_at: int = source["expires_at"]
        self.priority: str = source["priority"]
        self.duration = max(LEAST_CLIP_US, duration_ms * 1000)


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    """Waits for cancelled tasks, and raises what went wrong in them."""
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, Exception):
            raise ended


class Speaker:
    """One device. `manner` is `honest`, `mute` (tells nothing of its plays), `flooding` or `lying`."""

    plan_room = asyncio.Semaphore(PLANS_AT_ONCE)

    def __init__(
        self, made: dict[str, Any], client: int, api: httpx.AsyncClient, port: int, seed: str
    ) -> None:
        self.pk: int = made["id"]
        self.name: str = made["device_id"]
        self.floor: int = made["floor"]
        self.journal = Journal(self.pk, client)
        self.manner = "honest"
        self.knob: int = made["volume"]
        self.refusals: list[str] = []
        self.etag = ""
        self._token: str = made["token"]
        self._api = api
        self._url = f"ws://127.0.0.1:{port}/ws/devices/{self.name}/"
        self._rng = random.Random(seed)
        self._backoff = Backoff(self._rng)
        self._socket: ClientConnection | None = None
        self._greeted = asyncio.Event()
        self._offset = time.time_ns() // 1000 - time.monotonic_ns() // 1000
        self._round_trip: int | None = None
        self._applied = 0
        self._plays: dict[str, Play] = {}
        self._queue: list[tuple[int, str]] = []
        self._waiting: dict[str, int] = {}
        """Event → the instant under which it stands in the queue last."""
        self._begun: set[str] = set()
        self._facts: dict[str, dict[str, Any]] = {}
        self._due = asyncio.Event()
        self._fetch = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._sending: set[asyncio.Task[None]] = set()

    @property
    def greeted(self) -> bool:
        """Whether it is in a session."""
        return self._greeted.is_set()

    def now(self) -> int:
        """The server's clock as this device believes it, µs UTC."""
        return time.monotonic_ns() // 1000 + self._offset

    def switch_on(self, within_s: float) -> None:
        """From here on it lives by itself; it connects within so many seconds."""
        works = (self._connected(within_s), self._playing(), self._planning())
        self._tasks = [asyncio.create_task(work) for work in works]

    async def switch_off(self) -> None:
        """Ends it; the journal stays."""
        for task in self._tasks:
            task.cancel()
        await _ended(self._tasks)

    def raise_if_dead(self) -> None:
        """Raises what ended it, if it was not `switch_off`: a mistake of ours."""
        for task in self._tasks:
            if task.done():
                task.result()

    # --- the link ---

    async def _connected(self, within_s: float) -> None:
        await asyncio.sleep(self._rng.uniform(0, within_s))
        while True:
            code = None
            began = time.monotonic()
            try:
                async with connect(
                    self._url,
                    subprotocols=[SUBPROTOCOL],
                    additional_headers={"Authorization": f"Bearer {self._token}"},
                    compression=None,
                    proxy=None,
                    ping_interval=None,
                    close_timeout=0.5,
                    max_queue=None,
                ) as socket:
                    code = await self._session(socket)
            except (OSError, TimeoutError, websockets.WebSocketException):
                pass  # the network or the server is away: the back-off's business
            finally:
                self._socket = None
                self._greeted.clear()
            self._backoff.lasted(time.monotonic() - began)
            # One that floods does not wait as it is told either.
            await asyncio.sleep(self._backoff.next_wait(None if code == RATE else code))

    async def _session(self, socket: ClientConnection) -> int | None:
        self._socket = socket
        await self._say(
            "hello", boot_id="chaos", software="chaos", applied_rev=self._applied, plan_etag=self.etag
        )
        talking = asyncio.create_task(self._talk())
        try:
            async with asyncio.timeout(DEAF_AFTER_S) as silence:
                async for frame in socket:
                    silence.reschedule(asyncio.get_running_loop().time() + DEAF_AFTER_S)
                    self._hear(json.loads(frame))
        except websockets.ConnectionClosed:
            pass
        except TimeoutError:
            socket.transport.abort()
        finally:
            talking.cancel()
            await _ended([talking])
        return socket.close_code

    async def _say(self, kind: str, **fields: Any) -> None:
        """Sends if there is a session; what is lost with one is the sender's business."""
        if self._socket is not None:
            with contextlib.suppress(websockets.ConnectionClosed):
                await self._socket.send(json.dumps({"type": kind, "id": uuid.uuid4().hex, **fields}))

    def _soon(self, kind: str, **fields: Any) -> None:
        task = asyncio.get_running_loop().create_task(self._say(kind, **fields))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _talk(self) -> None:
        """What a device says by itself: owed receipts at first, then probes and signs of life."""
        await self._greeted.wait()
        await self._probe()
        await self._status()
        if self.manner != "mute":
            for receipt in [each for each in self.journal.receipts.values() if not each.acked]:
                if not receipt.acked:  # meanwhile
                    await self._say("playback_complete", **self._receipt_of(receipt))
                    await asyncio.sleep(PACE_S)
        told = probed = time.monotonic()
        while True:
            await asyncio.sleep(self._rng.uniform(0.8, 1.2))
            now = time.monotonic()
            if now - probed >= PROBE_EVERY_S:
                probed = now
                await self._probe()
            if now - told >= STATUS_EVERY_S:
                told = now
                await self._status()

    async def _probe(self) -> None:
        await self._say("time_probe", n=1, t1=time.monotonic_ns() // 1000)

    async def _status(self) -> None:
        clock = {"state": "synced", "error_us": 1000, "round_trip_us": self._round_trip}
        await self._say("status_update", status="online", applied_rev=self._applied, clock=clock)

    def _hear(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "welcome":
                self._applied = max(self._applied, message["desired"]["rev"])
                self._greeted.set()
                self._fetch.set()
            case "time_reply":
                arrived = time.monotonic_ns() // 1000
                self._offset = ((message["t2"] - message["t1"]) + (message["t3"] - arrived)) // 2
                self._round_trip = (arrived - message["t1"]) - (message["t3"] - message["t2"])
                self._due.set()
            case "play_announcement":
                self._ordered(Play(message, message["duration_ms"]))
            case "cancel_announcement":
                play = self._plays.pop(message["event_id"], None)
                if play is not None:
                    self._tell(play, "skipped_cancelled", None)
            case "set_desired":
                self._applied = max(self._applied, message["rev"])
            case "plan_changed":
                self._fetch.set()
            case "receipt_ack":
                for event in message["event_ids"]:
                    if event in self.journal.receipts:
                        self.journal.receipts[event].acked = True
                        self._facts.pop(event, None)
            case "control" | "test_tone":
                self._soon("command_result", command_id=message["command_id"], ok=True)
            case "error":
                self.refusals.append(message["code"])

    # --- the plan ---

    async def _planning(self) -> None:
        while True:
            # Not `wait_for`: before Python 3.12 it swallows a cancellation that comes with the event.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PLAN_EVERY_S):
                    await self._fetch.wait()
            self._fetch.clear()
            await asyncio.sleep(self._rng.uniform(0, 3))
            async with self.plan_room:
                if not await self._fetched():
                    self._fetch.set()

    async def _fetched(self) -> bool:
        """Whether the plan is the newest now. A fetch that fails leaves the last good one."""
        headers = {"Authorization": f"Bearer {self._token}", "If-None-Match": f'"{self.etag}"'}
        try:
            answer = await self._api.get(f"/api/devices/{self.pk}/plan/", headers=headers)
        except httpx.TransportError:
            return False
        if answer.status_code != 200:
            return answer.status_code == 304
        plan = answer.json()
        self.etag = plan["etag"]
        lengths = {asset["sha256"]: asset["duration_ms"] for asset in plan["assets"]}
        planned = [Play(each, lengths.get(each["sha256"], 0)) for each in plan["occurrences"]]
        self._plays = {
            name: play for name, play in self._plays.items() if play.priority in ("instant", "emergency")
        }
        now = self.now()
        for play in planned:
            if play.expires_at > now and play.play_at < now + PLAN_AHEAD_US:
                self._take(play)
        return True

    # --- playing ---

    def _ordered(self, play: Play) -> None:
        """An order of the server, which wants to hear that it arrived."""
        known = self._over(play.event) or play.event in self._plays
        self._take(play)  # also if it is known: a play that waited for us comes with a start of its own
        if self.manner != "mute":
            self._soon("ack", event_id=play.event, state="duplicate" if known else "armed")

    @property
    def heard(self) -> int:
        """How many plays have begun to sound here."""
        return len(self._begun)

    def started(self, event: str) -> bool:
        """Whether it has begun to sound here."""
        return event in self._begun

    def _over(self, event: str) -> bool:
        """Whether it has begun or ended: nothing makes it sound again."""
        return event in self._begun or event in self.journal.receipts or event in self.journal.judged

    def _take(self, play: Play) -> None:
        if self._over(play.event):
            return
        known = self._waiting.get(play.event)
        self.journal.ordered[play.event] = play.announcement
        self._plays[play.event] = play
        if known != play.play_at:
            self._waiting[play.event] = play.play_at
            heapq.heappush(self._queue, (play.play_at, play.event))
        self._due.set()

    async def _playing(self) -> None:
        while True:
            self._due.clear()
            while self._queue and self._queue[0][0] <= self.now():
                at, event = heapq.heappop(self._queue)
                if self._waiting.get(event) == at:
                    del self._waiting[event]
                play = self._plays.get(event)
                if play is not None and play.play_at <= self.now():
                    del self._plays[event]
                    self._play(play)
            left = (self._queue[0][0] - self.now()) / 1e6 if self._queue else 60.0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, left)):
                    await self._due.wait()

    def _play(self, play: Play) -> None:
        """At its instant or a little later, but never from its expiry on; what has begun is never begun again."""
        at = self.now()
        if at >= play.expires_at:
            self._tell(play, "skipped_late", None)
            return
        self._begun.add(play.event)
        self.journal.starts.append(Start(play.event, play.announcement, at, play.expires_at))
        if self.manner != "mute":
            self._soon("playback_started", event_id=play.event, started_at=at)
        asyncio.get_running_loop().call_later(play.duration / 1e6, self._tell, play, "played", at)

    def _tell(self, play: Play, outcome: str, began: int | None) -> None:
        """The receipt; a mute device has none."""
        if self.manner == "mute" or play.event in self.journal.receipts or play.event in self.journal.judged:
            return
        receipt = Receipt(play.event, outcome, time.time_ns() // 1000)
        self.journal.receipts[play.event] = receipt
        self._facts[play.event] = {
            "announcement_id": play.announcement,
            "started_at": began,
            "ended_at": None if began is None else self.now(),
            "play_at": play.play_at,
            "priority": play.priority,
        }
        self._soon("playback_complete", **self._receipt_of(receipt))

    def _receipt_of(self, receipt: Receipt) -> dict[str, Any]:
        facts = self._facts[receipt.event]
        if self.manner == "lying" and facts["started_at"] is not None:
            facts = facts | {"started_at": self._rng.choice((0, 2**53 - 1)), "ended_at": 2**53 - 1}
        return {"event_id": receipt.event, "outcome": receipt.outcome, **facts}

    # --- bad manners ---

    def coming(self) -> list[str]:
        """The events that it has yet to play."""
        return list(self._plays)

    async def flood(self, messages: int) -> None:
        """Sends as much as it can until it is shut out."""
        for _ in range(messages):
            await self._say("status_update", status="online")

    async def lie(self, events: list[tuple[str, int]]) -> None:
        """Tells of other devices' plays, as if they had failed on itself, long ago or far in the future."""
        for event, announcement in events:
            now = self.now()
            self.journal.lies += 1
            await self._say(
                "playback_complete",
                event_id=event,
                announcement_id=announcement,
                outcome="failed_decode",
                play_at=now + self._rng.choice((-1, 1)) * 100_000_000,
                started_at=now,
                priority="interval",
            )
            await asyncio.sleep(PACE_S)
