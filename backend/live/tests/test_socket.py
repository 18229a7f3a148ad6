"""The dashboards' socket against a real server: getting in, who sees what, catching up, and being thrown out."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction
from rest_framework_simplejwt.tokens import AccessToken
from websockets.exceptions import InvalidStatus

from common import clock
from common.tenancy import Scope, system_scope
from conftest import make_user
from devices import bus
from devices.hub import Told
from devices.tests.shop_floor import speaker
from events.services import play_now
from events.tests.support import make_announcement
from live import hub, journal, protocol
from live.changes import tell
from live.protocol import SUBPROTOCOL, CloseCode
from live.store import Looking
from live.tests.pages import page, socket, ticket_of
from live.tickets import Ticket
from users.impersonation import LIFETIME, impersonate
from users.models import User, UserSession
from users.sessions import open_session
from users.tokens import bound

pytestmark = pytest.mark.django_db(transaction=True)


@sync_to_async
def in_system(call: Any, *arguments: Any, **named: Any) -> Any:
    with system_scope("the test acts"):
        return call(*arguments, **named)


def ids(message: dict[str, Any]) -> list[int]:
    return [state["id"] for state in message["devices"]]


# --- getting in ------------------------------------------------------------------------------------------


async def test_who_is_refused_is_told_why(server, shop):
    used = await sync_to_async(ticket_of)(shop.admin)
    async with socket(server.port, SUBPROTOCOL, f"ticket.{used}") as first:
        await first.say("hello")
        await first.hears("welcome")
    for offered, close_code, code in [
        ([SUBPROTOCOL], CloseCode.BAD_TICKET, "bad_ticket"),
        ([SUBPROTOCOL, "ticket.rubbish"], CloseCode.BAD_TICKET, "bad_ticket"),
        ([SUBPROTOCOL, f"ticket.{used}"], CloseCode.BAD_TICKET, "bad_ticket"),
        (["sync2gear.v1", f"ticket.{used}"], CloseCode.VERSION, "version"),
    ]:
        async with socket(server.port, *offered) as refused:
            assert await refused.closed() == close_code
            assert [message["code"] for message in refused.got] == [code]


async def test_a_page_of_another_site_gets_no_socket(server, shop):
    ticket = await sync_to_async(ticket_of)(shop.admin)
    with pytest.raises(InvalidStatus) as refused:
        async with socket(server.port, SUBPROTOCOL, f"ticket.{ticket}", Origin="https://elsewhere.example"):
            pass
    assert refused.value.response.status_code == 403
    own = f"http://127.0.0.1:{server.port}"
    async with socket(server.port, SUBPROTOCOL, f"ticket.{ticket}", Origin=own) as one:
        await one.say("hello")
        await one.hears("welcome")


async def test_a_ticket_ends_with_what_it_was_made_of(server, shop):
    ticket = await sync_to_async(ticket_of)(shop.admin)
    await sync_to_async(User.everyone.filter(pk=shop.admin.pk).update)(is_active=False)
    async with socket(server.port, SUBPROTOCOL, f"ticket.{ticket}") as refused:
        assert await refused.closed() == CloseCode.BAD_TICKET


async def test_a_page_says_hello_and_nothing_else(server, shop, monkeypatch):
    async def answered(*said: Any) -> int:
        ticket = await sync_to_async(ticket_of)(shop.admin)
        async with socket(server.port, SUBPROTOCOL, f"ticket.{ticket}") as one:
            for frame in said:
                await one.ws.send(frame)
            return await one.closed()

    hello = json.dumps({"type": "hello"})
    long = json.dumps({"type": "hello", "x": "x" * 2000})
    for said in (["no json"], ['{"type": "other"}'], [b"\x00"], [long], [hello, hello]):
        assert await answered(*said) == CloseCode.MALFORMED, said
    monkeypatch.setattr(protocol, "HELLO_TIMEOUT_S", 0.1)
    assert await answered() == CloseCode.NO_HELLO


async def test_one_person_has_so_many(server, shop, monkeypatch):
    monkeypatch.setattr(hub, "MOST_OF_ONE", 1)
    async with page(server, shop.admin) as first, page(server, shop.floor_user) as other:
        await first.hears("welcome")
        await other.hears("welcome")
        async with page(server, shop.admin) as second:
            assert await second.closed() == CloseCode.OVERLOAD


# --- who sees what ---------------------------------------------------------------------------------------


async def test_each_sees_what_the_api_would_show(server, shop, other_shop, staff):
    nowhere = await sync_to_async(make_user)("floor_user", shop.client)
    expected = [
        (shop.admin, None, sorted(device.pk for device in shop.devices)),
        (shop.floor_user, None, [shop.devices[0].pk]),
        (nowhere, None, []),
        (other_shop.admin, None, sorted(device.pk for device in other_shop.devices)),
        (staff, shop.client.pk, sorted(device.pk for device in shop.devices)),
    ]
    for user, client, seen in expected:
        async with page(server, user, client=client) as one:
            await one.hears("welcome", reload=False)
            assert ids(await one.hears("devices", fresh=True)) == seen, user.role


async def test_what_a_speaker_says_is_told_to_those_who_may_see_it(server, shop, other_shop, tokens):
    device, elsewhere = shop.devices
    async with (
        page(server, shop.admin) as admin,
        page(server, shop.floor_user) as floor_user,
        page(server, other_shop.admin) as stranger,
    ):
        for one in (admin, floor_user, stranger):
            await one.hears("devices", fresh=True)
        async with speaker(server, elsewhere.device_id, tokens[elsewhere.pk]) as upstairs:
            await upstairs.say("status_update", status="playing", volume=31)
            while (await admin.hears_device(elsewhere.pk))["reported"].get("volume") != 31:
                pass
        async with speaker(server, device.device_id, tokens[device.pk]) as speaking:
            await speaking.say(
                "status_update", status="playing", now_playing={"kind": "music", "id": "9", "position_ms": 4}
            )
            for one in (admin, floor_user):
                while not (state := await one.hears_device(device.pk))["reported"].get("now_playing"):
                    pass
                assert state["reported"]["now_playing"]["id"] == "9"
                assert state["online_until"] > clock.now_us()
        later = {pk for message in floor_user.heard("devices") for pk in ids(message)}
        assert floor_user.shown | later == {device.pk}
        assert not stranger.heard("devices")


async def test_plays_and_other_changes_are_told_by_key(server, shop, other_shop):
    ground, upstairs = shop.devices
    async with (
        page(server, shop.admin) as admin,
        page(server, shop.floor_user) as floor_user,
        page(server, other_shop.admin) as stranger,
    ):
        for one in (admin, floor_user, stranger):
            await one.hears("devices", fresh=True)
        announcement = await in_system(make_announcement, shop)
        assert await admin.hears_change("announcements") == [str(announcement.pk)]
        assert await floor_user.hears_change("announcements") is None
        for device, heard_below in ((upstairs, False), (ground, True)):
            play = await in_system(
                play_now, announcement=announcement, devices=[device], user=shop.admin, now=clock.now()
            )
            [event] = play.events
            assert await admin.hears_change("plays") == [str(event.pk)]
            if heard_below:
                assert await floor_user.hears_change("plays") == [str(event.pk)], (
                    "and none of upstairs before"
                )
        assert not stranger.heard("changed")


async def test_what_is_rolled_back_is_not_told(server, shop, other_shop):
    def half() -> None:
        with transaction.atomic():
            make_announcement(shop)
            transaction.set_rollback(True)
        tell("music", client=shop.client.pk, keys=[1])

    async with page(server, shop.admin) as admin:
        await admin.hears("devices", fresh=True)
        await in_system(half)
        assert (await admin.hears("changed"))["topics"] == {"music": ["1"]}


async def test_a_floor_full_of_speakers_is_a_few_frames(server, shop):
    pks = [device.pk for device in shop.devices]
    async with page(server, shop.admin) as admin:
        await admin.hears("devices", fresh=True)
        for number in range(200):
            bus.publish(Told([], devices=pks))
            await in_system(tell, "plays", client=shop.client.pk, floor=shop.floors[0].pk, keys=[number])
        await in_system(tell, "music", client=shop.client.pk)
        heard = 1
        while "music" not in (await admin.hears("changed"))["topics"]:
            heard += 1
        assert heard + len(admin.heard("devices")) < 40, "of 400 messages"


# --- catching up -----------------------------------------------------------------------------------------


async def test_a_page_that_slept_is_told_what_it_missed(server, shop, other_shop, monkeypatch):
    monkeypatch.setattr(journal, "SLACK_US", 0)
    async with page(server, shop.admin) as before:
        as_of = (await before.hears("welcome"))["as_of"]
    await in_system(tell, "music", client=shop.client.pk, keys=[7])
    await in_system(tell, "music", client=other_shop.client.pk, keys=[8])
    async with page(server, shop.admin, as_of=as_of) as again:
        awake = (await again.hears("welcome", reload=False))["as_of"]
        assert (await again.hears("changed"))["topics"] == {"music": ["7"]}
    async with page(server, shop.admin, as_of=awake) as once_more:
        await once_more.hears("devices", fresh=True)
        assert not once_more.heard("changed")
    async with page(server, shop.admin, as_of=1) as much_later:
        await much_later.hears("welcome", reload=True)


# --- being thrown out ------------------------------------------------------------------------------------


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Access is looked at again, and beats are sent, many times a second. Before the server starts."""
    monkeypatch.setattr(hub, "CHECKED_EVERY_S", 0.05)
    monkeypatch.setattr(protocol, "BEAT_S", 0.1)


def _sign_out(user: User) -> None:
    UserSession.objects.filter(user=user).update(ended_at=clock.now())


def _switch_off(user: User) -> None:
    User.everyone.filter(pk=user.pk).update(is_active=False)


def _new_generation(user: User) -> None:
    User.everyone.filter(pk=user.pk).update(session_generation=user.session_generation + 1)


def _new_password(user: User) -> None:
    user.set_password("another horse battery")
    user.save()


async def test_a_socket_ends_with_its_access(brisk, server, shop):
    async with page(server, shop.admin) as staying:
        await staying.hears("devices", fresh=True)
        for end in (_sign_out, _switch_off, _new_generation, _new_password):
            person = await sync_to_async(make_user)("floor_user", shop.client, shop.floors[0])
            session = await sync_to_async(open_session)(person)
            async with page(server, person, token=session.access) as ending:
                await ending.hears("welcome")
                await sync_to_async(end)(person)
                assert await ending.closed() == CloseCode.ENDED, end.__name__
                assert ending.got[-1]["code"] == "access_ended"
        await in_system(tell, "music", client=shop.client.pk)
        await staying.hears_change("music")
        await staying.hears("beat")


async def test_what_has_no_session_ends_with_its_token(brisk, server, shop, staff):
    def lent(seconds: int = 600) -> str:
        now = clock.now() - LIFETIME + timedelta(seconds=seconds)
        return impersonate(client=shop.client, by=staff, reason="a ticket", now=now).access

    def lent_shortly() -> str:
        return lent(3)

    def short() -> AccessToken:
        token = bound(AccessToken.for_user(shop.admin), shop.admin)
        token.set_exp(lifetime=timedelta(seconds=3))
        return token

    for made in (lent_shortly, short):
        async with page(server, shop.admin, token=await in_system(made)) as one:
            await one.hears("welcome")
            assert await one.closed() == CloseCode.ENDED
    async with page(server, shop.admin, token=await in_system(lent)) as borrowed:
        await borrowed.hears("welcome")
        await sync_to_async(User.everyone.filter(pk=staff.pk).update)(role="client", client=shop.client)
        assert await borrowed.closed() == CloseCode.ENDED, "whoever borrowed it is no staff any more"


async def test_a_page_that_does_not_read_is_dropped_and_holds_up_nobody():
    stuck, sent = asyncio.Event(), []

    async def never(event: dict[str, Any]) -> None:
        await stuck.wait()

    async def quickly(event: dict[str, Any]) -> None:
        sent.append(event)

    looking = Looking(Ticket({}, 1), 1, Scope(client_id=1))
    slow, quick = hub.Outlet(looking, never), hub.Outlet(looking, quickly)
    for number in range(hub.MOST_QUEUED + 2):
        for outlet in (slow, quick):
            outlet.put(protocol.Beat(as_of=number))
        await asyncio.sleep(0)
    assert slow.ended.is_set()
    await slow.stop()
    assert not quick.ended.is_set()
    assert len(sent) >= hub.MOST_QUEUED
    await quick.stop()


async def test_a_frame_that_is_never_taken_ends_the_session(monkeypatch):
    monkeypatch.setattr(hub, "WRITE_DEADLINE_S", 0.05)

    async def never(event: dict[str, Any]) -> None:
        await asyncio.Event().wait()

    outlet = hub.Outlet(Looking(Ticket({}, 1), 1, Scope(client_id=1)), never)
    outlet.put(protocol.Beat(as_of=1))
    async with asyncio.timeout(5):
        await outlet.ended.wait()
    await outlet.stop()
