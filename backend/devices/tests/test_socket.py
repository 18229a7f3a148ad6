"""The socket against a real server: getting in, being thrown out, limits, the clock, presence."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from rest_framework.test import APIClient
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from common import clock, logs
from common.tenancy import system_scope
from core import periodic
from devices import bus, protocol, services, store
from devices.hub import Superseded
from devices.models import LEASE
from devices.protocol import SUBPROTOCOL, CloseCode
from devices.tests.shop_floor import Server, row_of, speaker, token_of, until

pytestmark = pytest.mark.django_db(transaction=True)


@sync_to_async
def in_system(call, **arguments):
    with system_scope("the test acts"):
        return call(**arguments)


# --- getting in ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shows", "close_code", "code"),
    [
        ("nothing", CloseCode.BAD_TOKEN, "bad_token"),
        ("rubbish", CloseCode.BAD_TOKEN, "bad_token"),
        ("a neighbour's token", CloseCode.BAD_TOKEN, "bad_token"),
        ("another tenant's token", CloseCode.BAD_TOKEN, "bad_token"),
        ("a revoked token", CloseCode.FORBIDDEN, "revoked"),
    ],
)
@pytest.mark.parametrize("plain", [False, True])
async def test_who_is_refused_is_told_why(server, shop, other_shop, tokens, shows, close_code, code, plain):
    device = shop.devices[0]
    token = {
        "nothing": None,
        "rubbish": "rubbish",
        "a neighbour's token": tokens[shop.devices[1].pk],
        "another tenant's token": tokens[other_shop.devices[0].pk],
        "a revoked token": tokens[device.pk],
    }[shows]
    if shows == "a revoked token":
        await in_system(services.revoke_token, device=device, now=clock.now())
    async with speaker(server, device.device_id, token, plain=plain, greet=False) as refused:
        assert await refused.closed() == close_code
        assert refused.ws.close_reason == code
        assert [message["code"] for message in refused.got] == ([] if plain else [code])
    assert (await until(lambda: row_of(device), "a row")).last_seen is None


async def test_a_version_that_is_not_spoken(server, shop, tokens):
    device = shop.devices[0]
    async with speaker(
        server, device.device_id, tokens[device.pk], greet=False, subprotocols=["sync2gear.v9"]
    ) as refused:
        assert await refused.closed() == CloseCode.VERSION
        assert [message["code"] for message in refused.got] == ["version"]


async def test_a_path_that_leads_nowhere(server):
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws://127.0.0.1:{server.port}/ws/elsewhere/")
    assert refused.value.response.status_code == 403


def ticket_of(token: str) -> str:
    answer = APIClient().post("/api/devices/ticket/", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["expires_in"]) == (201, 60)
    return answer.json()["ticket"]


async def test_a_ticket_opens_once_and_only_its_own_path(server, shop, tokens):
    ground, upper = shop.devices
    ticket, second = await sync_to_async(lambda: [ticket_of(tokens[ground.pk]) for _ in range(2)])()
    by_ticket = {"subprotocols": [SUBPROTOCOL, f"ticket.{ticket}"]}
    async with speaker(server, ground.device_id, None, **by_ticket) as one:
        assert one.ws.subprotocol == SUBPROTOCOL
        async with speaker(server, ground.device_id, None, greet=False, **by_ticket) as again:
            assert await again.closed() == CloseCode.BAD_TOKEN
    wrong_path = {"subprotocols": [SUBPROTOCOL, f"ticket.{second}"]}
    async with speaker(server, upper.device_id, None, greet=False, **wrong_path) as elsewhere:
        assert await elsewhere.closed() == CloseCode.BAD_TOKEN


async def test_a_hardware_id_with_colons_and_dashes(server, shop, tokens):
    device = shop.devices[0]
    await in_system(services.change_device, device=device, values={"device_id": "AA:bb-01._x"})
    async with speaker(server, "AA:bb-01._x", tokens[device.pk]) as one:
        assert await one.round_trip() > 0


async def test_the_welcome(server, shop, tokens):
    device = shop.devices[0]
    async with speaker(server, device.device_id, tokens[device.pk], greet=False) as one:
        await one.say(
            "hello", boot_id="b", software="s 1", capabilities=["opus"], applied_rev=1, required_lead_ms=120
        )
        welcome = await one.hears("welcome")
    assert welcome["desired"] == {
        "rev": 1,
        "volume": 75,
        "muted": False,
        "output_delay_ms": 0,
        "silenced": False,
    }
    assert welcome["plan_url"] == f"/api/devices/{device.pk}/plan/"
    assert welcome["limits"] == {"message_bytes": 65536, "messages_per_second": 10, "burst": 40}
    assert (welcome["heartbeat_s"], bool(welcome["session"]), bool(welcome["id"])) == (15, True, True)
    row = await until(
        lambda: (row := row_of(device)).session_id == welcome["session"] and row, "the hello's columns"
    )
    assert (row.boot_id, row.software, row.capabilities, row.required_lead_ms) == ("b", "s 1", ["opus"], 120)
    assert (row.clock_state, row.plain, row.ip_address) == ("unsynced", False, "127.0.0.1")


async def test_no_hello(server, shop, tokens, monkeypatch):
    monkeypatch.setattr(protocol, "HELLO_TIMEOUT_S", 0.1)
    device = shop.devices[0]
    async with speaker(server, device.device_id, tokens[device.pk], greet=False) as silent:
        assert await silent.closed() == CloseCode.NO_HELLO
        assert silent.got[0]["code"] == "no_hello"


async def test_the_newest_connection_of_a_device_wins(server, shop, tokens):
    device = shop.devices[0]
    token = tokens[device.pk]
    async with (
        speaker(server, device.device_id, token, hello={"boot_id": "old"}) as old,
        speaker(server, device.device_id, token, hello={"boot_id": "new"}) as new,
    ):
        assert await old.closed() == CloseCode.SUPERSEDED
        assert old.heard("error")[0]["code"] == "superseded"
        await until(lambda: row_of(device).boot_id == "new", "the new hello's columns")
        assert await new.round_trip() > 0


async def test_the_word_of_an_older_session_that_comes_late_ends_nothing(server, shop, tokens):
    device = shop.devices[0]
    async with speaker(server, device.device_id, tokens[device.pk]) as one:
        await until(lambda: row_of(device).session_id, "the hello")
        seen = (await until(lambda: row_of(device), "a row")).last_seen
        bus.publish(Superseded({device.pk: "of the older session"}))
        for number in range(3):
            await one.round_trip(number)
            await asyncio.sleep(0.05)
        assert (await until(lambda: row_of(device), "a row")).last_seen == seen, "and it is no sign of life"


async def test_late_writes_of_an_older_session_are_fenced_off(server, shop, tokens):
    """Another process has greeted the device: its session stands in the row, and ours may not touch it."""
    device = shop.devices[0]
    async with speaker(server, device.device_id, tokens[device.pk]) as older:
        await until(lambda: row_of(device).session_id, "the hello")

        @sync_to_async
        def greeted_elsewhere():
            with system_scope("another process"):
                type(device).objects.filter(pk=device.pk).update(session_id="elsewhere", reported={})

        await greeted_elsewhere()
        await older.say("status_update", volume=3, applied_rev=0)
        assert await older.closed() == CloseCode.SUPERSEDED
    row = await until(lambda: row_of(device), "a row")
    assert (row.session_id, row.reported) == ("elsewhere", {})


# --- being thrown out ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "close_code"),
    [
        ("junk", CloseCode.MALFORMED),
        (b"\x00\x01", CloseCode.MALFORMED),
        ("[" * 50_000, CloseCode.MALFORMED),
        ('{"type":"goodbye","x":"' + "x" * 1024 * 1024 + '"}', CloseCode.RATE),
    ],
    ids=["junk", "binary", "nested", "a megabyte"],
)
async def test_what_is_no_message_ends_the_session_and_no_other(
    server, shop, tokens, frame, close_code, caplog
):
    caplog.set_level("INFO", logger=logs.SOCKETS)
    ground, upper = shop.devices
    async with (
        speaker(server, ground.device_id, tokens[ground.pk]) as rude,
        speaker(server, upper.device_id, tokens[upper.pk]) as neighbour,
    ):
        await rude.ws.send(frame)
        assert await rude.closed() == close_code
        assert await neighbour.round_trip() < 1
        ended = await until(
            lambda: [line for line in caplog.records if "ended" in line.getMessage()], "a line"
        )
        assert [line.code for line in ended] == [close_code]


async def test_an_unknown_type_costs_an_error_and_no_more(server, shop, tokens):
    device = shop.devices[0]
    async with speaker(server, device.device_id, tokens[device.pk]) as one:
        await one.say("dance", id="m1")
        assert (await one.hears("error"))["re"] == "m1"
        assert await one.round_trip() > 0


async def test_a_flood_ends_itself_and_a_neighbour_s_clock_does_not_suffer(server, shop, tokens):
    ground, upper = shop.devices
    async with (
        speaker(server, ground.device_id, tokens[ground.pk]) as rude,
        speaker(server, upper.device_id, tokens[upper.pk]) as neighbour,
    ):

        async def flood():
            frame = json.dumps({"type": "status_update", "pad": "x" * 1000})
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await rude.ws.send(frame)
                    await asyncio.sleep(0)  # a client that never lets its loop turn does not hear the close

        flooding = asyncio.create_task(flood())
        trips = [await neighbour.round_trip(n) for n in range(10)]
        assert await rude.closed() == CloseCode.RATE
        await flooding
        assert sorted(trips)[5] < 0.25, "half of the probes at least are as quick as ever"


async def test_revoking_and_removing_close_the_live_socket(server, shop, tokens):
    ground, upper = shop.devices
    async with speaker(server, ground.device_id, tokens[ground.pk]) as one:
        await in_system(services.revoke_token, device=ground, now=clock.now())
        assert await one.closed() == CloseCode.FORBIDDEN
    async with speaker(server, upper.device_id, tokens[upper.pk]) as one:
        await in_system(services.delete_device, device=upper)
        assert await one.closed() == CloseCode.FORBIDDEN


async def test_a_rotated_token(server, shop, tokens):
    device, old = shop.devices[0], tokens[shop.devices[0].pk]
    new = await in_system(services.rotate_token, device=device)
    for token in (old, new):
        async with speaker(server, device.device_id, token):
            pass
    async with speaker(server, device.device_id, old, greet=False) as late:
        assert await late.closed() == CloseCode.BAD_TOKEN


async def test_a_server_that_stops_says_so(transactional_db, shop, monkeypatch):
    monkeypatch.setattr(periodic, "TABLE", ())
    device = shop.devices[0]
    token = await sync_to_async(token_of)(device)
    server = Server()
    await asyncio.to_thread(server.start)
    async with speaker(server, device.device_id, token) as one:
        await asyncio.to_thread(server.stop)
        assert await one.closed() == CloseCode.RESTART


# --- clock, state, presence ------------------------------------------------------------------------------


async def test_a_time_probe_is_answered_by_the_server_s_clock(server, shop, tokens):
    device = shop.devices[0]
    async with speaker(server, device.device_id, tokens[device.pk], greet=False) as one:
        before = clock.now_us()
        await one.say("time_probe", id="p1", n=7, t1=-123)
        reply = await one.hears("time_reply")
        after = clock.now_us()
    assert (reply["n"], reply["t1"], reply["re"]) == (7, -123, "p1")
    assert before <= reply["t2"] <= reply["t3"] <= after


async def test_a_probe_waits_for_no_database(server, shop, tokens, monkeypatch):
    """The store's thread is busy for half a second; probes are answered meanwhile."""
    genuine, busy = store.touch, asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(touches):
        loop.call_soon_threadsafe(busy.set)
        time.sleep(0.5)
        return genuine(touches)

    device = shop.devices[0]
    async with speaker(server, device.device_id, tokens[device.pk]) as one:
        await until(lambda: row_of(device).session_id, "the hello")
        monkeypatch.setattr(store, "touch", slow)
        await one.say("status_update", applied_rev=1)
        await asyncio.wait_for(busy.wait(), 5)
        assert min([await one.round_trip(n) for n in range(5)]) < 0.2


async def test_status_is_kept_beside_what_is_desired(server, shop, tokens, call):
    device = shop.devices[0]
    async with speaker(server, device.device_id, tokens[device.pk]) as one:
        await one.say(
            "status_update",
            volume=40,
            muted=True,
            now_playing={"kind": "music", "id": "s1", "position_ms": 5},
            applied_rev=1,
            clock={"state": "holdover", "error_us": 900, "drift_ppb": -20},
            underruns=2,
        )
        await one.say("command_result", command_id="c1", ok=False, error="no")
        await until(lambda: "last_command" in row_of(device).reported, "the reports")
    body = (await sync_to_async(lambda: call(shop.admin).get(f"/api/devices/{device.pk}/status/"))()).json()
    assert (body["status"], body["in_sync"], body["applied_rev"], body["protocol"]) == (
        "online",
        True,
        1,
        "v1",
    )
    assert (body["reported"]["volume"], body["reported"]["underruns"]) == (40, 2)
    assert body["reported"]["now_playing"]["kind"] == "music"
    assert body["reported"]["last_command"] == {"command_id": "c1", "ok": False, "error": "no"}
    assert not {"id", "ts", "type"} & body["reported"].keys()
    assert (row_clock := await until(lambda: row_of(device), "a row")).clock_state == "holdover"
    assert row_clock.clock_error_us == 900


async def test_desired_state_is_pushed_and_pushed_again_until_it_is_applied(server, shop, tokens):
    device = shop.devices[0]
    async with speaker(server, device.device_id, tokens[device.pk], hello={"applied_rev": 1}) as one:
        await until(lambda: row_of(device).session_id, "the hello")
        await in_system(services.set_volume, device=device, volume=20, muted=None)
        pushed = await one.hears("set_desired", rev=2)
        assert (pushed["volume"], pushed["muted"]) == (20, False)
        await one.say("status_update", applied_rev=1)
        assert (await one.hears("set_desired"))["rev"] == 2, "the push was lost: the status shows it"
        await one.say("status_update", applied_rev=2)
        await until(lambda: row_of(device).applied_rev == 2, "the applied revision")
        await one.round_trip()
        assert one.heard("set_desired") == []


async def test_what_changes_between_look_up_and_hello_is_told(server, shop, tokens):
    device = shop.devices[0]
    async with speaker(server, device.device_id, tokens[device.pk], greet=False) as one:
        await one.round_trip()
        await in_system(services.set_volume, device=device, volume=11, muted=None)
        await one.say("hello", boot_id="b", applied_rev=1)
        assert (await one.hears("welcome"))["desired"]["rev"] == 1
        assert (await one.hears("set_desired"))["volume"] == 11


async def test_commands_reach_the_device(server, shop, tokens):
    device = shop.devices[0]
    async with speaker(server, device.device_id, tokens[device.pk]) as one:
        row = await until(lambda: (row := row_of(device)).last_seen and row, "the hello")
        command_id = await in_system(services.control, device=row, action="next", now=clock.now())
        message = await one.hears("control")
        assert (message["command_id"], message["action"]) == (command_id, "next")
        assert 0 < message["expires_at"] - clock.now_us() <= 10_000_000
        command_id = await in_system(services.test_tone, device=row, hz=880, ms=200, now=clock.now())
        message = await one.hears("test_tone")
        assert (message["command_id"], message["hz"], message["ms"]) == (command_id, 880, 200)


async def test_a_client_that_vanishes_is_offline_when_its_lease_ends(server, shop, tokens):
    """Its TCP connection is cut without a word; the server's clock decides, not the disconnect."""
    device = shop.devices[0]
    async with speaker(server, device.device_id, tokens[device.pk]) as one:
        seen = (await until(lambda: (row := row_of(device)).last_seen and row, "the hello")).last_seen
        one.ws.transport.abort()
    for after, online in ((LEASE - timedelta(seconds=1), True), (LEASE, False), (LEASE * 2, False)):
        assert (await until(lambda: row_of(device), "a row")).is_online(seen + after) is online
    changes = [
        await in_system(services.watch_presence, now=seen + after)
        for after in (timedelta(0), timedelta(seconds=1), LEASE, LEASE * 2)
    ]
    assert changes == [1, 0, 1, 0], "each change is written once"
