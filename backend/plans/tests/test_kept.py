"""What is kept of plans: whatever changes, it says what would be built anew, and mostly without building."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import ConnectionError as Away

from announcements.services import update_announcement
from clients.models import Client
from common import clock
from common.errors import Refusal
from common.tenancy import system_scope
from conftest import make_business
from devices.models import Device
from devices.plan import Plan
from devices.services import change_device
from events.domain import ledger
from events.models import PlayEvent
from events.services import cancel_events, play_now
from music.services import update_music
from plans import kept
from plans.builder import plan_of
from playlists import airing, renewal
from playlists.services import Assignment, Entry, assign_floors, create_playlist, update_playlist
from playlists.tests.support import tracks, words
from schedules.airing import plan_ahead
from schedules.models import Schedule
from schedules.services import (
    DaysOff,
    Parts,
    create_schedule,
    delete_schedule,
    resume_floor,
    stop_floor,
    toggle_schedule,
    update_schedule,
)
from schedules.tests.support import NOON, make_schedule, timeline
from schedules.validation import Entry as Spoken
from users.tests.support import at_once
from zones.models import Floor
from zones.services import delete_floor, update_floor

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture(autouse=True)
def building(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The devices for which the common part was built, in order."""
    built: list[int] = []
    build = kept.shared_of

    def counted(device: Device, *window: datetime) -> Any:
        built.append(device.pk)
        return build(device, *window)

    monkeypatch.setattr(kept, "shared_of", counted)
    return built


class World(SimpleNamespace):
    """A business with a programme and rules, the instant, and the ETag that each of its speakers has."""

    now: datetime

    def device(self, pk: int) -> Device:
        return Device.objects.select_related("floor", "client").get(pk=pk)

    def check(self) -> None:
        """Every speaker is answered what would be built anew; asked again, that it still holds."""
        for pk in self.speakers:
            device = self.device(pk)
            fresh = plan_of(device, now=self.now)
            answer = kept.answer(device, known={self.etags.get(pk, "")}, now=self.now)
            assert answer.etag == fresh.etag
            assert (answer.document is None) == (fresh.etag == self.etags.get(pk))
            if answer.document is not None:
                assert answer.document == msgspec.json.encode(fresh)
            assert kept.answer(device, known={fresh.etag}, now=self.now).document is None
            self.etags[pk] = fresh.etag


def world() -> World:
    """Two floors with two speakers and one, and a speaker that hangs nowhere."""
    business = make_business()
    ground, upper = business.floors
    device = business.devices[0]
    business.client.refresh_from_db()
    beside, alone = (
        Device.objects.create(client=business.client, floor=floor, name=name, device_id=f"{name}-{device.pk}")
        for floor, name in ((ground, "beside"), (None, "alone"))
    )
    music, spoken = tracks(business.client, 4, seconds=3600), [words(business.client) for _ in range(3)]
    playlist = create_playlist(
        client=business.client,
        by=business.admin,
        name="All day",
        items=[Entry(sound) for sound in (*music, spoken[0])],
    )
    assign_floors(playlist=playlist, assignments=[Assignment(ground), Assignment(upper)])
    renewal.renew(now=NOON)
    rules = [
        make_schedule(business, spoken, floors=[ground], interval_minutes=90),
        timeline(business, [(spoken[1], 300)], minutes=360, devices=[beside, alone]),
    ]
    return World(
        client=business.client, admin=business.admin, floors=[ground, upper], music=music, spoken=spoken,
        playlist=playlist, rules=rules, speakers=[*(each.pk for each in business.devices), beside.pk, alone.pk],
        now=NOON + 5 * MINUTE, etags={},
    )  # fmt: skip


def rule(w: World) -> Schedule:
    """The oldest rule that is left, with its business."""
    return Schedule.objects.select_related("client").order_by("pk").first() or make_schedule(w)


def row(thing: Any) -> Any:
    """The row as it is now."""
    return type(thing).objects.get(pk=thing.pk)


def of_client(**columns: Any) -> Callable[[World], None]:
    """The business is changed, as its services do."""

    def change(w: World) -> None:
        client = Client.objects.get(pk=w.client.pk)
        for name, value in columns.items():
            setattr(client, name, value)
        client.save()

    return change


def of_floor(**columns: Any) -> Callable[[World], None]:
    """The lower floor is changed."""
    return lambda w: update_floor(
        floor=Floor.objects.select_related("client").get(pk=w.floors[0].pk), **columns
    )


def of_rule(
    *, parts: Callable[[World], Parts] = lambda w: Parts(), **columns: Any
) -> Callable[[World], None]:
    """The oldest rule is changed."""
    return lambda w: update_schedule(schedule=rule(w), parts=parts(w), now=w.now, **columns)


def later(by: timedelta) -> Callable[[World], None]:
    """Time passes."""

    def pass_(w: World) -> None:
        w.now += by

    return pass_


def tick(w: World) -> None:
    """What is due is written ahead, and what has changed is renewed."""
    plan_ahead(now=w.now)
    renewal.renew(now=w.now)
    airing.write_ahead(now=w.now)


def order(w: World) -> None:
    """An instant play on all speakers."""
    Device.objects.update(last_seen=w.now)
    Client.objects.filter(pk=w.client.pk).update(status="active")
    said = w.spoken[1]
    said.client = Client.objects.get(pk=w.client.pk)
    devices = list(Device.objects.filter(pk__in=w.speakers))
    play_now(
        announcement=said, devices=devices, user=w.admin, now=w.now, priority="emergency",
        play_at=w.now + 20 * SECOND,
    )  # fmt: skip


def heard(w: World) -> None:
    """The next play of each speaker begins."""
    coming = PlayEvent.objects.filter(status=ledger.PENDING).order_by("play_at")[:2]
    PlayEvent.objects.filter(pk__in=[each.pk for each in coming]).update(status=ledger.PLAYING)


def other_sound(w: World) -> None:
    """New words were spoken: the announcement has another file."""
    said = row(w.spoken[0])
    said.sha256, said.gain_db, said.duration_ms = f"{said.pk:063x}f", -2.0, 7_000
    said.save(update_fields=["sha256", "gain_db", "duration_ms", "updated_at"])


EDITS: dict[str, Callable[[World], Any]] = {
    "a second": later(SECOND),
    "ten minutes": later(10 * MINUTE),
    "an hour": later(HOUR),
    "tick": tick,
    "order": order,
    "cancel": lambda w: cancel_events(events=PlayEvent.objects.filter(status=ledger.PENDING), now=w.now),
    "heard": heard,
    "interval": of_rule(schedule_type="interval", interval_minutes=70, cycle_duration_minutes=None),
    "days": of_rule(active_days=[3]),
    "elsewhere": of_rule(parts=lambda w: Parts(floors=[], devices=[w.device(w.speakers[1])])),
    "other words": of_rule(parts=lambda w: Parts(entries=[Spoken(w.spoken[2], 60)])),
    "a day off": of_rule(parts=lambda w: Parts(exceptions=[DaysOff(w.now.date(), w.now.date())])),
    "toggle": lambda w: toggle_schedule(schedule=rule(w), now=w.now),
    "delete rule": lambda w: delete_schedule(schedule=rule(w), now=w.now),
    "new rule": lambda w: create_schedule(
        client=w.client, by=w.admin, now=w.now, name="New", schedule_type="interval", interval_minutes=110,
        parts=Parts(entries=[Spoken(w.spoken[1])], floors=Floor.objects.filter(client=w.client)),
    ),
    "stop": lambda w: stop_floor(floor=w.floors[0], until=w.now + 15 * MINUTE, by=w.admin, now=w.now),
    "resume": lambda w: resume_floor(floor=w.floors[0], now=w.now),
    "title": lambda w: update_announcement(
        announcement=w.spoken[0], changes={"title": f"Said at {w.now}"}, now=w.now
    ),
    "off": lambda w: update_announcement(announcement=w.spoken[1], changes={"enabled": False}, now=w.now),
    "sound": other_sound,
    "delete words": lambda w: row(w.spoken[2]).delete() if _is_there(w.spoken[2]) else None,
    "rename track": lambda w: update_music(music=w.music[0], changes={"name": f"Track at {w.now}"}),
    "delete track": lambda w: row(w.music[1]).delete() if _is_there(w.music[1]) else None,
    "playlist": lambda w: update_playlist(playlist=w.playlist, items=[Entry(w.music[2]), Entry(w.spoken[0])]),
    "night": of_floor(quiet_hours_start=time(13), quiet_hours_end=time(6)),
    "zone": of_floor(timezone="Asia/Tokyo"),
    "bounds": of_floor(max_volume=40, default_volume=40),
    "no floor": lambda w: delete_floor(floor=row(w.floors[1])) if _is_there(w.floors[1]) else None,
    "volume": lambda w: change_device(device=w.device(w.speakers[0]), values={"volume": 33}),
    "move": lambda w: change_device(device=w.device(w.speakers[2]), values={"floor": row(w.floors[0])}),
    "take down": lambda w: change_device(device=w.device(w.speakers[0]), values={"floor": None}),
    "gap": of_client(announcement_gap_minutes=15),
    "client zone": of_client(timezone="America/New_York"),
    "suspend": of_client(status="suspended"),
    "trial": of_client(status="trial", trial_ends_at=NOON + 90 * MINUTE),
    "open": of_client(status="active"),
}  # fmt: skip


def _is_there(thing: Any) -> bool:
    return type(thing).objects.filter(pk=thing.pk).exists()


def edit(w: World, name: str) -> None:
    """The edit, unless it is refused as things stand: then nothing has changed."""
    try:
        with transaction.atomic():
            EDITS[name](w)
    except (Refusal, ValidationError):
        assert transaction.get_connection().in_atomic_block


@pytest.mark.django_db
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(st.sampled_from(sorted(EDITS)), min_size=3, max_size=5))
def test_after_any_edits_what_is_kept_says_what_would_be_built(edits: list[str]) -> None:
    cache.clear()  # of an example that was rolled back, with the keys of its rows
    with system_scope("test"), transaction.atomic():
        w = world()
        w.check()
        for name in edits:
            edit(w, name)
            w.check()
        transaction.set_rollback(True)


@pytest.fixture
def on_air(db: None) -> Iterator[World]:
    """A world in whose scope the test runs."""
    with system_scope("test"):
        yield world()


def ask(w: World, pk: int, etag: str = "") -> kept.Answer:
    """A speaker asks with the ETag that it has."""
    return kept.answer(w.device(pk), known={etag} - {""}, now=w.now)


def test_one_floor_is_built_once_and_what_still_holds_not_at_all(
    on_air: World, building: list[int], django_assert_max_num_queries: Any
) -> None:
    first, upper, beside, alone = on_air.speakers
    etags = {pk: ask(on_air, pk).etag for pk in on_air.speakers}
    assert building == [first, upper, alone]
    on_air.now += SECOND
    devices = {pk: on_air.device(pk) for pk in on_air.speakers}
    with django_assert_max_num_queries(5 * len(devices)):
        for pk, device in devices.items():
            assert kept.answer(device, known={etags[pk]}, now=on_air.now).document is None
    EDITS["volume"](on_air)
    EDITS["order"](on_air)
    assert ask(on_air, first, etags[first]).document is not None
    assert ask(on_air, beside, etags[beside]).document is not None
    assert building == [first, upper, alone], "volumes and orders are each speaker's own"


def test_a_change_between_reading_and_building_is_told_by_the_next_answer(
    on_air: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    build, changes = kept.shared_of, ["title", "interval", "stop", "delete track"]

    def overtaken(*arguments: Any) -> Any:
        if changes:
            EDITS[changes.pop()](on_air)  # as by another process, after the version was read
        return build(*arguments)

    monkeypatch.setattr(kept, "shared_of", overtaken)
    while changes:
        ask(on_air, on_air.speakers[0])
    on_air.check()


def test_a_builder_that_was_overtaken_leaves_nothing_old_behind(
    on_air: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    build, changes = kept.shared_of, ["title", "interval", "stop", "delete track"]

    def slow(*arguments: Any) -> Any:
        old = build(*arguments)
        if changes:
            EDITS[changes.pop()](on_air)
        return old  # and is written over what others may have kept meanwhile

    monkeypatch.setattr(kept, "shared_of", slow)
    while changes:
        ask(on_air, on_air.speakers[0])
    on_air.check()


def test_what_was_rolled_back_is_never_told(on_air: World) -> None:
    pk = on_air.speakers[0]
    before = ask(on_air, pk).etag
    for name in ("interval", "title"):
        with transaction.atomic():
            EDITS[name](on_air)
            assert ask(on_air, pk).etag != before
            transaction.set_rollback(True)
        assert ask(on_air, pk, before).document is None
        EDITS["days"](on_air)
        on_air.check()
        before = ask(on_air, pk).etag


@pytest.mark.django_db(transaction=True)
def test_many_that_ask_at_once_build_once_and_a_commit_among_them_is_seen(building: list[int]) -> None:
    with system_scope("test"):
        w = world()
        pk, beside = w.speakers[0], w.speakers[2]
        devices = [w.device(pk), w.device(beside)] * 4

    def asks(device: Device) -> Callable[[], kept.Answer]:
        def run() -> kept.Answer:
            with system_scope("test"):
                return kept.answer(device, known=(), now=w.now)

        return run

    def change() -> None:
        with system_scope("test"):
            EDITS["interval"](w)

    answers = at_once(*map(asks, devices))
    assert len({answer.etag for answer in answers}) == 2
    assert len(building) == 1
    answers = at_once(*map(asks, devices), change)
    assert not [each for each in answers if isinstance(each, Exception)]
    with system_scope("test"):
        w.check()


def test_without_the_cache_every_plan_is_built(
    on_air: World, monkeypatch: pytest.MonkeyPatch, building: list[int]
) -> None:
    def away(*arguments: Any, **options: Any) -> Any:
        raise Away("nobody there")

    etag = ask(on_air, on_air.speakers[0]).etag
    for name in ("get", "set"):
        monkeypatch.setattr(cache, name, away)
    assert ask(on_air, on_air.speakers[0], etag) == (etag, None)
    document = ask(on_air, on_air.speakers[0]).document
    assert document is not None
    assert msgspec.json.decode(document, type=Plan).etag == etag
    assert len(building) == 3


def test_the_kept_etag_ends_with_the_first_play_that_expires(on_air: World) -> None:
    pk = on_air.speakers[2]
    document = ask(on_air, pk).document or b""
    plan = msgspec.json.decode(document, type=Plan)
    first = clock.from_us(min(each.expires_at for each in plan.occurrences))
    on_air.now = first - timedelta(microseconds=1)
    assert ask(on_air, pk, plan.etag).document is None
    on_air.now = first
    assert ask(on_air, pk, plan.etag).document is not None
