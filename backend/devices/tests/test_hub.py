"""Links and the hub: bounded queues, plain devices, one link for each device."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from common import clock, logs
from devices import hub, protocol
from devices.hub import Frame, Hub, Link, Plays, Shut, Superseded, Target, Wake
from devices.protocol import CloseCode, PlayAnnouncement
from testing.lines import written

EVENT = "00000000-0000-5000-8000-00000000000{}"


def play(*, number: int = 1, in_ms: int = 0, lives_ms: int = 2000, url: str = "/media/a") -> PlayAnnouncement:
    start = clock.now_us() + in_ms * 1000
    return PlayAnnouncement(
        announcement_id=7,
        audio_url=url,
        volume=60,
        event_id=EVENT.format(number),
        play_at=start,
        expires_at=start + lives_ms * 1000,
        sha256="",
        bytes=1,
        mime="audio/mpeg",
        duration_ms=1000,
    )


class Peer:
    """The other end of a link: keeps what it takes, unless it does not read."""

    def __init__(
        self,
        *,
        device: int = 1,
        plain: bool = False,
        session: str = "s1",
        reads: bool = True,
        **more: Any,
    ) -> None:
        self.got: list[dict[str, Any]] = []
        self.told: list[str] = []
        self.broken = False
        self._reads = asyncio.Event()
        if reads:
            self._reads.set()
        self.link = Link(
            device_pk=device,
            session_id=session,
            plain=plain,
            origin="https://shop.example",
            send=self._send,
            on_plain_play=lambda told: self.told.append(told.event_id),
            on_broken=self._break,
            **more,
        )

    async def _send(self, event: dict[str, Any]) -> None:
        await self._reads.wait()
        self.got.append(json.loads(event["text"]) if "text" in event else event)

    def _break(self) -> None:
        self.broken = True

    @property
    def types(self) -> list[str]:
        return [each["type"] for each in self.got]


def hub_of(*, on_wake: Any = print, on_rival: Any = print) -> Hub:
    """A hub whose questions lead nowhere unless the test listens."""
    return Hub(on_wake=on_wake, on_rival=on_rival, on_told=lambda told: None)


async def settled() -> None:
    """Lets every writer run until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_each_transmission_has_an_id_and_a_time_of_its_own():
    peer = Peer()
    order = play()
    peer.link.deliver(order)
    peer.link.deliver(order)
    await settled()
    first, second = peer.got
    assert first["id"] != second["id"]
    assert first["ts"] > 0
    assert first["event_id"] == second["event_id"]


async def test_a_plain_device_gets_the_briefs_four_fields_at_the_moment_and_once():
    peer = Peer(plain=True)
    order = play(in_ms=30)
    for _ in range(3):
        peer.link.deliver(order)
    await settled()
    assert peer.got == []
    await asyncio.sleep(0.06)
    peer.link.deliver(order)
    await settled()
    assert peer.got == [
        {
            "type": "play_announcement",
            "announcement_id": 7,
            "audio_url": "https://shop.example/media/a",
            "volume": 60,
        }
    ]
    assert peer.told == [order.event_id]


@pytest.mark.parametrize("why", ["cancelled", "expired", "gone"])
async def test_a_plain_device_is_not_told_of_what_is_over(why):
    peer = Peer(plain=True)
    order = play(in_ms=20, lives_ms=-10 if why == "expired" else 2000)
    peer.link.deliver(order)
    if why == "cancelled":
        peer.link.cancel(order.event_id)
    if why == "gone":
        peer.link.stop()
    await asyncio.sleep(0.05)
    assert peer.got == []


async def test_a_plain_device_gets_no_other_message():
    peer, sockets = Peer(plain=True), hub_of()
    sockets.join(peer.link)
    sockets.dispatch(Frame([1], protocol.SetDesired(rev=2, volume=1)))
    sockets.dispatch(Shut([1], CloseCode.FORBIDDEN, "revoked", "Revoked."))
    await settled()
    assert peer.got == [{"type": "websocket.close", "code": 4403, "reason": "revoked"}]


async def test_what_the_hub_says_of_a_link_names_its_device_and_client():
    with written() as lines:
        with logs.about(device=7, client=3):
            deaf = Peer(device=7, reads=False)
        for _ in range(hub.MOST_QUEUED + 2):
            deaf.link.put(b"{}")
    assert deaf.broken
    assert {(line["logger"], line["device"], line["client"]) for line in lines} == {("devices.hub", 7, 3)}


async def test_a_link_that_does_not_read_is_dropped_and_its_neighbour_notices_nothing():
    deaf, neighbour, sockets = Peer(device=1, reads=False), Peer(device=2), hub_of()
    for peer in (deaf, neighbour):
        sockets.join(peer.link)
    for number in range(hub.MOST_QUEUED + 2):
        sockets.dispatch(Frame([1, 2], protocol.PlanChanged(etag=str(number))))
        await settled()
    assert deaf.broken
    assert len(neighbour.got) == hub.MOST_QUEUED + 2


async def test_a_frame_is_written_straight_unless_others_wait_before_it():
    straight: list[bytes] = []
    open_now = False

    def write_now(wire: bytes) -> bool:
        if open_now:
            straight.append(wire)
        return open_now

    peer = Peer(write_now=write_now)
    peer.link.put(b'{"type":"1"}')
    open_now = True
    peer.link.put(b'{"type":"2"}')
    assert straight == [], "it would overtake the first"
    await settled()
    assert peer.types == ["1", "2"]
    peer.link.put(b'{"type":"3"}')
    assert straight == [b'\x81\x0c{"type":"3"}']
    peer.link.shut(CloseCode.RESTART, "restart", "Come back.")
    peer.link.put(b'{"type":"4"}')
    await settled()
    assert len(straight) == 2, "the reason, and nothing after it"
    assert peer.types == ["1", "2", "websocket.close"]


async def test_a_frame_that_nobody_takes_ends_the_session(monkeypatch):
    monkeypatch.setattr(hub, "WRITE_DEADLINE_S", 0.02)
    deaf = Peer(reads=False)
    deaf.link.put(b"{}")
    await asyncio.sleep(0.06)
    assert deaf.broken


async def test_a_peer_that_is_gone_ends_the_session():
    peer = Peer()

    async def gone(event: dict[str, Any]) -> None:
        raise OSError("gone")

    peer.link._send = gone
    peer.link.put(b"{}")
    await settled()
    assert peer.broken


async def test_the_newest_link_of_a_device_is_the_only_one():
    old, new, rivals = Peer(session="old"), Peer(session="new"), []
    sockets = hub_of(on_rival=rivals.append)
    sockets.join(old.link)
    sockets.join(new.link)
    await settled()
    assert old.types == ["error", "websocket.close"]
    assert old.got[1]["code"] == CloseCode.SUPERSEDED
    sockets.leave(old.link)
    assert sockets.link_of(1) is new.link
    for session, asked in (("new", []), ("old", [new.link])):
        sockets.dispatch(Superseded({1: session, 2: session}))
        await settled()
        assert rivals == asked
    assert new.got == [], "the message of the old one came late: the row decides"


async def test_a_message_reaches_its_addressees_and_nobody_else():
    peers = {number: Peer(device=number) for number in (1, 2, 3)}
    woken: list[list[int]] = []
    sockets = hub_of(on_wake=woken.append)
    for peer in peers.values():
        sockets.join(peer.link)
    sockets.dispatch(Frame([1, 9], protocol.PlanChanged()))
    sockets.dispatch(
        Plays(
            play(),
            [Target(device, EVENT.format(device), 10 * device, 5, 2**50) for device in (2, 9)],
        )
    )
    sockets.dispatch(Wake([3, 9]))
    sockets.dispatch(Wake([9]))
    await settled()
    assert {number: peer.types for number, peer in peers.items()} == {
        1: ["plan_changed"],
        2: ["play_announcement"],
        3: [],
    }
    told = peers[2].got[0]
    assert (told["event_id"], told["volume"], told["play_at"]) == (EVENT.format(2), 20, 5)
    assert woken == [[3]]


@pytest.mark.parametrize(
    "message",
    [
        Frame([1, 2], protocol.SetDesired(rev=3, volume=9, silenced=True)),
        Plays(play(), [Target(1, EVENT.format(1), 5, 6, 7)]),
        Shut([1], 4403, "revoked", "Why."),
        Superseded({1: "abc"}),
        Wake([4]),
    ],
    ids=lambda message: type(message).__name__,
)
def test_what_crosses_the_bus_arrives_as_it_was(message):
    assert hub.decode_hub_messages(hub.encode_hub_messages([message])) == [message]
