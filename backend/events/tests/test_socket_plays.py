"""From the order to the receipt over real sockets: every way a play can go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from common import clock
from common.tenancy import system_scope
from devices import bus, runtime
from devices.models import Device
from devices.tests.conftest import server, tokens
from devices.tests.shop_floor import row_of, speaker, until
from events import delivery
from events.domain import ledger
from events.models import PlayEvent
from events.services import cancel_events, play_now
from events.tests.support import fresh, history, make_announcement, make_event

__all__ = ["server", "tokens"]
pytestmark = pytest.mark.django_db(transaction=True)


@sync_to_async
def order(shop: Any, *devices: Device, **how: Any) -> list[PlayEvent]:
    """Plays a new announcement of five seconds on these devices."""
    words = make_announcement(shop)
    with system_scope("a person orders"):
        rows = list(
            Device.objects.select_related("floor__client", "client").filter(pk__in=[d.pk for d in devices])
        )
        play = play_now(announcement=words, devices=rows, user=shop.admin, now=clock.now(), **how)
    return [fresh(event) for event in play.events]


@sync_to_async
def now_is(event: PlayEvent) -> PlayEvent:
    return fresh(event)


async def becomes(event: PlayEvent, status: str) -> PlayEvent:
    """The row once it has this status."""
    return await until(lambda: (row := fresh(event)).status == status and row, f"{status}")


async def settled(device: Device) -> None:
    """The device's hello is committed: it is online."""
    await until(lambda: row_of(device).session_id, "the hello")


async def _on_the_servers_loop(work: Callable[[runtime.Runtime], Coroutine[None, None, None]]) -> None:
    running = runtime._runtime
    assert running is not None
    await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(running), running.loop))


async def the_timer_rings() -> None:
    """What the server does every REDELIVER_EVERY_S, on its own loop."""
    await _on_the_servers_loop(lambda running: running._redeliver())


async def the_arrival_is_over() -> None:
    """What was due to a device that came has been looked up; that waits a little for others who come."""
    await _on_the_servers_loop(lambda running: running._touches.drain())


async def test_push_ack_start_receipt(server, shop, tokens):
    device = shop.devices[0]
    async with speaker(server, device.device_id, tokens[device.pk]) as one:
        await settled(device)
        [event] = await order(shop, device, volume=33)
        push = await one.hears("play_announcement")
        assert push["event_id"] == str(event.pk)
        assert (push["volume"], push["late"], push["priority"]) == (33, "join", "instant")
        assert push["play_at"] == clock.to_us(event.play_at)
        assert push["expires_at"] == push["play_at"] + 2_000_000
        assert push["audio_url"].startswith("/media/")
        assert push["id"]
        await one.say("ack", event_id=push["event_id"], state="armed")
        await becomes(event, ledger.DELIVERED)
        await one.say("playback_started", event_id=push["event_id"], started_at=push["play_at"] + 40)
        row = await becomes(event, ledger.PLAYING)
        assert clock.to_us(row.started_at) == push["play_at"] + 40
        await one.say(
            "playback_complete",
            id="r1",
            event_id=push["event_id"],
            announcement_id=push["announcement_id"],
            outcome="played",
            started_at=push["play_at"] + 40,
            ended_at=push["play_at"] + 5_000_040,
            start_error_us=40,
            played_ms=5000,
        )
        acked = await one.hears("receipt_ack")
        assert (acked["event_ids"], acked["re"]) == ([push["event_id"]], "r1")
        row = await now_is(event)
        assert (row.status, row.outcome, row.played_ms) == (ledger.COMPLETED, "played", 5000)
        assert clock.to_us(row.completed_at) == push["play_at"] + 5_000_040


async def test_a_receipt_is_acknowledged_after_its_commit_and_never_before(server, shop, tokens, monkeypatch):
    """While the store cannot commit, no acknowledgement leaves; the device keeps the receipt and sends it again."""
    device = shop.devices[0]
    genuine, failures = delivery.EventLedger.store, [True]

    def breaks(self: Any, reports: Any, *, now: Any) -> None:
        if failures.pop():
            raise delivery.transaction.TransactionManagementError("the disk is full")
        genuine(self, reports, now=now)

    event = await sync_to_async(make_event)(shop, status=ledger.PLAYING, now=clock.now())
    monkeypatch.setattr(delivery.EventLedger, "store", breaks)
    async with speaker(server, device.device_id, tokens[device.pk]) as one:
        await one.say("playback_complete", event_id=str(event.pk))
        await one.closed()
        assert one.heard("receipt_ack") == []
    assert (await now_is(event)).status == ledger.PLAYING
    failures.append(False)
    async with speaker(server, device.device_id, tokens[device.pk]) as one:
        await one.say("playback_complete", event_id=str(event.pk))
        await one.hears("receipt_ack")
        assert (await now_is(event)).status == ledger.COMPLETED


async def test_a_receipt_five_times_is_one_row_and_five_acks(server, shop, tokens):
    device = shop.devices[0]
    event = await sync_to_async(make_event)(shop, status=ledger.PLAYING, now=clock.now())
    async with speaker(server, device.device_id, tokens[device.pk]) as one:
        for number in range(5):
            await one.say("playback_complete", id=f"r{number}", event_id=str(event.pk))
        for number in range(5):
            await one.hears("receipt_ack", re=f"r{number}")
    assert await sync_to_async(history)(event) == [("completed", "", "device", False)]


async def test_a_receipt_for_another_devices_event_moves_nothing(server, shop, other_shop, tokens):
    event = await sync_to_async(make_event)(shop, now=clock.now())
    for thief in (shop.devices[1], other_shop.devices[0]):
        async with speaker(server, thief.device_id, tokens[thief.pk]) as one:
            await one.say("ack", event_id=str(event.pk), state="cannot")
            await one.say("playback_started", event_id=str(event.pk), started_at=clock.now_us())
            await one.say("playback_complete", event_id=str(event.pk), outcome="failed_output")
            await one.hears("receipt_ack")
    assert await sync_to_async(history)(event) == []


async def test_a_device_that_comes_back_gets_what_it_may_have_forgotten(server, shop, tokens):
    device = shop.devices[0]
    async with speaker(server, device.device_id, tokens[device.pk]) as one:
        await settled(device)
        [event] = await order(shop, device, play_at=clock.now() + timedelta(minutes=5))
        await one.hears("play_announcement")
        await one.say("ack", event_id=str(event.pk), state="armed")
        await becomes(event, ledger.DELIVERED)
    async with speaker(server, device.device_id, tokens[device.pk]) as one:
        push = await one.hears("play_announcement")
        assert (push["event_id"], bool(push["id"])) == (str(event.pk), True)


async def test_a_play_waits_for_a_device_that_is_offline(server, shop, tokens):
    device = shop.devices[0]
    [event] = await order(shop, device)
    assert event.waits_for_device

    @sync_to_async
    def the_others_have_ended():
        with system_scope("test"):
            type(event.announcement).objects.filter(pk=event.announcement_id).update(duration_ms=0)

    await the_others_have_ended()
    await asyncio.sleep(0.2)
    async with speaker(server, device.device_id, tokens[device.pk]) as one:
        push = await one.hears("play_announcement")
        row = await now_is(event)
        assert push["play_at"] == clock.to_us(row.play_at) > clock.to_us(event.play_at)
        assert push["expires_at"] == clock.to_us(event.expires_at)
        assert not row.waits_for_device


async def test_what_is_not_acknowledged_is_sent_again(server, shop, tokens, monkeypatch):
    """The push was lost on its way: the timer finds the order in the database."""
    monkeypatch.setattr(delivery, "SENT_AGAIN_AFTER", timedelta(0))
    device = shop.devices[0]
    async with speaker(server, device.device_id, tokens[device.pk]) as one:
        await settled(device)
        await one.round_trip()
        await the_arrival_is_over()
        genuine = bus.publish
        monkeypatch.setattr(bus, "publish", lambda *messages: None)
        [event] = await order(shop, device, play_at=clock.now() + timedelta(minutes=1))
        monkeypatch.setattr(bus, "publish", genuine)
        await the_timer_rings()
        push = await one.hears("play_announcement")
        assert push["event_id"] == str(event.pk)
        await one.say("ack", event_id=push["event_id"], state="armed")
        await becomes(event, ledger.DELIVERED)
        await the_timer_rings()
        await one.round_trip()
        assert one.heard("play_announcement") == []


async def test_cancel_reaches_every_device(server, shop, tokens):
    ground, upper = shop.devices
    async with (
        speaker(server, ground.device_id, tokens[ground.pk]) as one,
        speaker(server, upper.device_id, tokens[upper.pk]) as two,
    ):
        for device in (ground, upper):
            await settled(device)
        events = await order(shop, ground, upper, play_at=clock.now() + timedelta(minutes=1))
        pushes = [await each.hears("play_announcement") for each in (one, two)]
        assert pushes[0]["play_at"] == pushes[1]["play_at"], "together"

        @sync_to_async
        def cancel():
            with system_scope("a person cancels"):
                return cancel_events(events=events, now=clock.now())

        assert len(await cancel()) == 2
        for each, push in zip((one, two), pushes, strict=True):
            assert (await each.hears("cancel_announcement"))["event_id"] == push["event_id"]


async def test_a_plain_device_from_order_to_receipt(server, shop, tokens):
    """No subprotocol: the brief's four fields at the moment of playing, and the brief's receipt."""
    device = shop.devices[0]
    async with speaker(server, device.device_id, tokens[device.pk], plain=True) as one:
        await until(lambda: row_of(device).plain, "the device")
        await one.say("status_update", status="online")
        [event] = await order(shop, device)
        push = await one.hears("play_announcement")
        assert (
            clock.now_us() >= clock.to_us(event.play_at) - 5_000
        )  # a timer of the loop may fire a little early
        assert push.keys() == {"type", "announcement_id", "audio_url", "volume"}
        assert push["audio_url"].startswith(f"http://127.0.0.1:{server.port}/media/announcement/")
        await becomes(event, ledger.DELIVERED)
        await one.say("playback_complete", announcement_id=push["announcement_id"])
        row = await becomes(event, ledger.COMPLETED)
        assert (row.outcome, row.reason) == ("played", "")
        assert one.got == [], "it is told nothing else"
    async with speaker(server, device.device_id, tokens[device.pk], plain=True) as one:
        await until(lambda: row_of(device).session_id, "the device")
        await asyncio.sleep(0.2)
        assert one.got == []


async def test_an_impossible_instant_is_not_believed(server, shop, tokens):
    device = shop.devices[0]
    event = await sync_to_async(make_event)(shop, status=ledger.PLAYING, now=clock.now())
    async with speaker(server, device.device_id, tokens[device.pk]) as one:
        await one.say("playback_complete", event_id=str(event.pk), started_at=5, ended_at=2**53 - 1)
        await one.hears("receipt_ack")
    row = await now_is(event)
    assert row.started_at is None
    assert abs(row.completed_at - clock.now()) < timedelta(minutes=1)


async def test_one_devices_strange_report_does_not_lose_its_neighbours(server, shop, tokens):
    ground, upper = shop.devices
    event = await sync_to_async(make_event)(shop, device=upper, status=ledger.PLAYING, now=clock.now())
    async with (
        speaker(server, ground.device_id, tokens[ground.pk]) as odd,
        speaker(server, upper.device_id, tokens[upper.pk]) as neighbour,
    ):
        await odd.say(
            "playback_complete", event_id="z" * 36, start_error_us=-(2**53) + 1, played_ms=2**53 - 1
        )
        await odd.say("status_update", applied_rev=2**53 - 1, underruns=2**53 - 1)
        await odd.say("playback_complete", announcement_id=-(2**53) + 1)
        await neighbour.say("playback_complete", event_id=str(event.pk))
        await neighbour.hears("receipt_ack")
        await odd.hears("receipt_ack")
