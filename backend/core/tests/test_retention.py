"""What is old goes, what is not stays: each table of the retention table, batch by batch, whatever hangs on it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connections, models, transaction

from common import clock
from common import retention as batches
from common.environment import Keep
from conftest import Business
from core import retention, tasks
from core.retention import TABLE, Kept, KeptTrail
from events.models import PlayEvent, PlayEventChange
from events.tests.support import NOW, make_event
from schedules.models import Schedule, ScheduleOccurrence

GROW = {each.model: each for each in TABLE}
PARTS = {part.model for each in TABLE for part in each.parts}
STAY = {
    "made and removed by people, and few": {
        "ai_config.AIProvider", "announcements.Announcement", "clients.Client", "devices.Device", "music.MusicFile",
        "playlists.ChannelPlaylist", "playlists.ChannelPlaylistFloor", "playlists.ChannelPlaylistItem",
        "schedules.Schedule", "schedules.ScheduleAnnouncement", "schedules.ScheduleDevice",
        "schedules.ScheduleException", "schedules.ScheduleFloor", "users.User", "webhooks.Webhook", "zones.Floor",
    },
    "one for each of those": {"audit.AuditChain", "playlists.FloorProgramme"},
    "explains the past, and comes about by people's hands only": {
        "playlists.ProgrammeRevision", "schedules.ClientLock", "schedules.FloorStop",
    },
    "books: one row for each business, provider and day": {"ai_config.AIUsage"},
    "gone when it is done": {
        "ai_config.AIReservation",
        "announcements.SpeechClip",
        "clients.CreditHold",
        "users.OutgoingMail",
    },
    "Django's own, unused or made by migrations": {
        "admin.LogEntry", "auth.Group", "auth.Permission", "contenttypes.ContentType",
    },
}  # fmt: skip
"""Tables that need no time, by the reason."""


def test_every_table_has_its_time_or_a_reason_to_have_none() -> None:
    every = {model._meta.label for model in apps.get_models()}
    without = [name for names in STAY.values() for name in names]
    assert sorted([*without, *GROW, *(PARTS - GROW.keys())]) == sorted(every)


@pytest.mark.parametrize("kept", TABLE, ids=lambda kept: kept.model)
def test_whatever_hangs_on_a_row_goes_with_it(kept: Kept) -> None:
    """`parts` stand for the database's cascades, which are not asked."""
    if isinstance(kept, KeptTrail):
        return
    hanging = {
        relation.related_model._meta.label for relation in apps.get_model(kept.model)._meta.related_objects
    }
    assert hanging <= {part.model for part in kept.parts}


@pytest.mark.parametrize("kept", TABLE, ids=lambda kept: kept.model)
def test_rows_are_looked_for_along_an_index(kept: Kept) -> None:
    meta = apps.get_model(kept.model)._meta
    column = meta.pk if kept.along == "pk" else meta.get_field(kept.along)
    first = {index.fields[0].lstrip("-") for index in meta.indexes if not index.condition}
    assert column.primary_key or column.db_index or column.name in first
    assert isinstance(meta.get_field(kept.by), models.DateTimeField)


def test_every_setting_is_used() -> None:
    assert {each.keep for each in TABLE if isinstance(each.keep, str)} == set(Keep.__dataclass_fields__)


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(batches, "AT_ONCE", 4)
    return 4


def plays(shop: Business, ages: list[timedelta]) -> list[PlayEvent]:
    """One for each age, with two entries of its history and its occurrence."""
    made = []
    for age in ages:
        event = make_event(shop, now=NOW - age)
        for seconds in (0, 1):
            PlayEventChange.objects.create(
                event=event,
                at=event.created_at + timedelta(seconds=seconds),
                status="pending",
                source="server",
            )
        schedule = Schedule._base_manager.first() or Schedule._base_manager.create(
            client=shop.client, name="Hourly", schedule_type="interval", interval_minutes=60
        )
        ScheduleOccurrence._base_manager.create(
            play_id=event.play_id, schedule=schedule, play_at=event.play_at
        )
        made.append(event)
    return made


def left() -> tuple[int, int, int]:
    """Plays, entries of their history, occurrences."""
    return (
        PlayEvent._base_manager.count(),
        PlayEventChange.objects.count(),
        ScheduleOccurrence._base_manager.count(),
    )


@pytest.mark.django_db
def test_old_plays_go_with_all_that_is_theirs(shop: Business, few_at_once: int) -> None:
    keep = settings.KEEP
    second = timedelta(seconds=1)
    plays(shop, [keep.plays + second] * 11 + [keep.plays, keep.play_history + 2 * second, timedelta()])
    done = {each.model: each for each in retention.forget_old(now=NOW, rest=0)}
    assert left() == (3, 2, 3), "the history of what is older than three months goes before the play"
    assert (done["events.PlayEvent"].removed, done["events.PlayEvent"].complete) == (11, True)
    assert retention.forget_old(now=NOW, rest=0) == [retention.Done(each.model, 0, True) for each in TABLE]


@pytest.mark.django_db
def test_for_ever_is_for_ever(shop: Business, settings: Any) -> None:
    settings.KEEP = Keep(plays=None, play_history=None, music_log=None, deliveries=None, audit=None)
    plays(shop, [timedelta(days=20_000)])
    retention.forget_old(now=NOW, rest=0)
    assert left() == (1, 2, 1)


@pytest.mark.django_db
def test_each_batch_is_a_transaction_and_the_next_run_goes_on(shop: Business, few_at_once: int) -> None:
    plays(shop, [settings.KEEP.plays + timedelta(days=1)] * 10)
    work = GROW["events.PlayEvent"].remove(NOW)
    assert [next(work), PlayEvent._base_manager.count()] == [4, 6]
    work.close()  # as if the process were killed
    assert [sum(GROW["events.PlayEvent"].remove(NOW)), *left()] == [6, 0, 0, 0]


@pytest.mark.django_db
def test_a_young_row_among_the_oldest_holds_nobody_up(shop: Business, few_at_once: int) -> None:
    """Keys are given in the order of writing, but instants are the speakers' own."""
    [event] = plays(shop, [timedelta()])
    ages = [0, *[200] * 5, *[0] * 5, 200]
    for age in ages:
        PlayEventChange.objects.create(
            event=event, at=NOW - timedelta(days=age), status="playing", source="device"
        )
    PlayEventChange.objects.filter(source="server").delete()
    assert sum(GROW["events.PlayEventChange"].remove(NOW)) == 5
    assert PlayEventChange.objects.count() == 7, "the last one comes after too many young ones: another day"


def test_a_run_ends_in_time_and_rests_between_batches() -> None:
    batch = iter(lambda: time.sleep(0.01) or 5, None)
    begun = time.monotonic()
    removed, complete = batches.worked(batch, until=begun + 0.2, rest=1.0)
    assert not complete
    assert 0 < removed <= 5 * 10, "half of the time at most"
    assert time.monotonic() - begun < 2
    assert batches.worked(iter([3, 4]), until=time.monotonic() + 60, rest=0) == (7, True)


@pytest.mark.django_db
def test_a_long_table_keeps_none_from_its_turn(shop: Business, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(*args: Any, **options: Any) -> Any:
        while True:
            time.sleep(0.005)
            yield 1

    monkeypatch.setattr(retention, "remove_old", endless)
    done = retention.forget_old(now=NOW, seconds=0.5, rest=0)
    assert [each.removed > 0 or each.model == "audit.AuditLog" for each in done] == [True] * len(TABLE)


def words(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines that were printed, single-spaced."""
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.django_db
def test_by_hand_it_can_be_tried_first(
    shop: Business, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    plays(shop, [settings.KEEP.plays + timedelta(days=1)] * 3)
    call_command("forget_old", "--dry-run")
    assert "events.PlayEvent 400 d 3 rows would go" in words(capsys)
    assert left() == (3, 6, 3)
    call_command("forget_old", "--without-rest")
    assert "events.PlayEvent 3 rows went" in words(capsys)
    assert left() == (0, 0, 0)


@pytest.mark.django_db
def test_the_periodic_work_does_it(shop: Business, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setattr(retention, "REST", 0.0)
    plays(shop, [settings.KEEP.plays + timedelta(days=1)])
    tasks.forget_old()
    assert left() == (0, 0, 0)


@pytest.mark.production
@pytest.mark.django_db(transaction=True)
def test_rows_that_somebody_holds_are_passed_over(shop: Business, few_at_once: int) -> None:
    """A removal waits for nobody's lock."""
    held, *_ = plays(shop, [settings.KEEP.plays + timedelta(days=1)] * 6)
    holding, enough = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            assert PlayEvent._base_manager.select_for_update().get(pk=held.pk)
            holding.set()
            enough.wait(20)
        connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(hold)
        assert holding.wait(20)
        assert sum(GROW["events.PlayEvent"].remove(NOW)) == 5
        enough.set()
        holder.result()
    assert left() == (1, 2, 1)
