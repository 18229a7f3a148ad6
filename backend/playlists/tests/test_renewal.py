"""From changed rows to what is heard, through the tick."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

from common import clock
from common.tenancy import system_scope
from playlists import renewal, services
from playlists.content import announcements, sound_of
from playlists.models import FloorProgramme, ProgrammeRevision
from playlists.services import Assignment, Entry
from playlists.tests.support import MINUTE, NOON, NOON_US, SECOND, tracks, words

NOW = timedelta(0)
ONE_HOUR = timedelta(hours=1)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def sounds(segments: Any) -> list[int]:
    """The rows that are played, in order."""
    return [sound_of(segment).pk for segment in segments]


def revisions(air: Any) -> int:
    with system_scope("test"):
        return int(ProgrammeRevision.objects.filter(floor=air.floor).count())


def test_into_silence_music_comes_at_once(air: Any) -> None:
    one, two = tracks(air.shop.client, 2)
    air.hold(one, two)
    air.renew()
    heard = air.heard(NOW, minutes(8))
    assert sounds(heard) == [one.pk, two.pk, one.pk]
    assert (heard[0].start, heard[0].offset_us) == (NOON_US, 0)


def test_a_change_is_heard_at_the_end_of_the_track(air: Any) -> None:
    one, two, three = tracks(air.shop.client, 3)
    air.hold(one)
    air.renew()
    air.hold(three, two)
    air.renew(minutes(1))
    heard = air.heard(NOW, minutes(8))
    assert sounds(heard) == [one.pk, three.pk, two.pk]
    assert (heard[0].end, heard[1].start) == (NOON_US + 3 * MINUTE, NOON_US + 3 * MINUTE)


def test_devices_have_time_to_hear_of_a_change(air: Any) -> None:
    one, two = tracks(air.shop.client, 2)
    air.hold(one)
    air.renew()
    air.hold(two)
    air.renew(minutes(3) - timedelta(seconds=4))  # 2 s before the next track fades in
    assert sounds(air.heard(NOW, minutes(9)))[:3] == [one.pk, one.pk, two.pk]


def test_two_changes_in_one_track(air: Any) -> None:
    one, two, three = tracks(air.shop.client, 3)
    air.hold(one)
    air.renew()
    for rows, after in (((two,), 1), ((three,), 2)):
        air.hold(*rows)
        air.renew(minutes(after))
    assert sounds(air.heard(NOW, minutes(5))) == [one.pk, three.pk]


def test_a_burst_of_changes_is_one_revision_and_one_word(air: Any, told: Any) -> None:
    one, two = tracks(air.shop.client, 2)

    def burst() -> None:
        for rows in ((one,), (one, two), (two,)):
            air.hold(*rows)

    assert told(burst) == []
    device = air.shop.devices[0].pk
    assert told(air.renew) == [[device]]
    assert revisions(air) == 1
    assert told(air.renew) == []


def test_what_leaves_the_programme_as_it_is_makes_no_revision(air: Any, told: Any) -> None:
    (one,) = tracks(air.shop.client, 1)
    air.hold(one)
    air.renew()
    air.hold(one, name="Another name")
    assert told(air.renew) == [[air.shop.devices[0].pk]]
    assert revisions(air) == 1


def test_a_removed_track_ends_at_once(air: Any) -> None:
    one, two = tracks(air.shop.client, 2)
    air.hold(one, two)
    air.renew()
    with system_scope("test"):
        one.delete()
    at = air.renew(minutes(1))
    heard = air.heard(minutes(1), minutes(3))
    assert sounds(heard) == [two.pk]
    assert heard[0].start == clock.to_us(at)


def test_the_playlist_is_deleted_or_taken_away_or_switched_off(air: Any, shop: Any) -> None:
    (one,) = tracks(shop.client, 1)
    air.hold(one)
    air.renew()

    def silent_after(run: Any, at: float) -> None:
        with system_scope("test"):
            run()
        air.renew(minutes(at))
        assert air.heard(minutes(at + 4), ONE_HOUR) == ()

    def heard_again(run: Any, at: float) -> None:
        with system_scope("test"):
            run()
        air.renew(minutes(at))
        assert air.heard(minutes(at + 4), ONE_HOUR) != ()

    silent_after(lambda: services.update_playlist(playlist=air.playlist, enabled=False), 1)
    heard_again(lambda: services.update_playlist(playlist=air.playlist, enabled=True), 10)
    silent_after(lambda: services.assign_floors(playlist=air.playlist, assignments=[]), 20)
    on_the_floor = [Assignment(air.floor)]
    heard_again(lambda: services.assign_floors(playlist=air.playlist, assignments=on_the_floor), 30)
    silent_after(lambda: services.delete_playlist(playlist=air.playlist), 40)


def test_a_sound_joins_when_it_is_ready(air: Any, told: Any) -> None:
    one, late = tracks(air.shop.client, 1)[0], tracks(air.shop.client, 1, status="processing")[0]
    air.hold(one, late)
    air.renew()
    assert set(sounds(air.heard(NOW, ONE_HOUR))) == {one.pk}
    assert told(lambda: air.renew(minutes(1))) == []  # it looks again, and nobody need know
    with system_scope("test"):
        type(late).objects.filter(pk=late.pk).update(status="ready")  # as the job does it
    assert told(lambda: air.renew(minutes(2))) == [[air.shop.devices[0].pk]]
    assert set(sounds(air.heard(minutes(4), ONE_HOUR))) == {one.pk, late.pk}
    with system_scope("test"):
        assert FloorProgramme.objects.get(floor=air.floor).look_again_at is None


def test_an_announcement_is_switched_off_and_speaks_anew(air: Any) -> None:
    track, spoken = tracks(air.shop.client, 1)[0], words(air.shop.client)
    air.hold(track, spoken)
    air.renew()
    assert len(announcements(air.heard(NOW, ONE_HOUR))) == 3

    def after_saving(at: float, **columns: Any) -> Any:
        with system_scope("test"):
            for name, value in columns.items():
                setattr(spoken, name, value)
            spoken.save()
        air.renew(minutes(at))
        return announcements(air.heard(minutes(at + 5), minutes(at + 65)))

    assert after_saving(1, enabled=False) == ()
    heard = after_saving(10, enabled=True, sha256="f" * 64, duration_ms=7000)
    assert {(sound_of(s).sha256, s.end - s.start) for s in heard} == {("f" * 64, 7 * SECOND)}


def test_an_announcement_is_said_only_while_it_is_valid(air: Any) -> None:
    spoken = words(
        air.shop.client, valid_from=NOON + timedelta(hours=2), valid_until=NOON + timedelta(hours=4)
    )
    air.hold(*tracks(air.shop.client, 2), spoken)
    air.renew()
    said = [clock.from_us(segment.start) - NOON for segment in announcements(air.heard(NOW, 6 * ONE_HOUR))]
    assert len(said) == 8
    assert 2 * ONE_HOUR <= min(said) < max(said) < 4 * ONE_HOUR


def test_the_floors_own_clock_and_quiet_hours(air: Any, shop: Any) -> None:
    (one,) = tracks(shop.client, 1)
    air.hold(one)
    air.renew()
    with system_scope("test"):
        air.floor.quiet_hours_start, air.floor.quiet_hours_end = time(14), time(15)
        air.floor.save()
    air.renew(minutes(1))
    assert air.heard(minutes(120), minutes(180)) == ()
    with system_scope("test"):
        shop.client.timezone = "Europe/Berlin"  # 14 to 15 there is 12 to 13 UTC in July
        shop.client.save()
    air.renew(minutes(2))
    assert air.heard(minutes(4), minutes(60)) == ()
    assert air.heard(minutes(120), minutes(180)) != ()


def test_priorities_and_quiet_hours_make_day_parts(air: Any, shop: Any) -> None:
    day, evening = tracks(shop.client, 2)
    air.hold(day)
    with system_scope("test"):
        other = services.create_playlist(
            client=shop.client,
            by=shop.admin,
            name="Evening",
            items=[Entry(evening)],
            quiet_hours_start=time(2),
            quiet_hours_end=time(18),
        )
        services.assign_floors(playlist=other, assignments=[Assignment(air.floor, priority=1)])
    air.renew()
    assert set(sounds(air.heard(NOW, minutes(359)))) == {day.pk}
    assert set(sounds(air.heard(minutes(370), minutes(600)))) == {evening.pk}


def test_every_floor_has_a_programme_of_its_own(air: Any, shop: Any, told: Any) -> None:
    rows = tracks(shop.client, 20)
    air.hold(*rows, shuffle_music=True)
    with system_scope("test"):
        both = [Assignment(floor) for floor in shop.floors]
        services.assign_floors(playlist=air.playlist, assignments=both)
    assert sorted(told(air.renew)) == [[device.pk] for device in shop.devices]
    first = sounds(air.heard(NOW, ONE_HOUR))
    air.floor = shop.floors[1]
    assert sounds(air.heard(NOW, ONE_HOUR)) != first


def test_a_floor_that_goes_takes_its_programme_along(air: Any, shop: Any) -> None:
    air.hold(*tracks(shop.client, 1))
    air.renew()
    with system_scope("test"):
        air.floor.delete()
        assert not FloorProgramme.objects.exists()
        assert not ProgrammeRevision.objects.exists()
    assert renewal.renew(now=NOON) == 0


def test_a_business_that_goes_takes_all_along(air: Any, shop: Any) -> None:
    air.hold(*tracks(shop.client, 1), words(shop.client))
    air.renew()
    with system_scope("test"):
        shop.client.delete()
        assert not ProgrammeRevision.objects.exists()


def test_old_revisions_are_forgotten_but_for_the_one_then_in_force(air: Any) -> None:
    for day in range(12):
        air.hold(*tracks(air.shop.client, 1))
        air.renew(timedelta(days=day))
    # Eight days before the last change, the one of the day before that was in force until its track ended.
    assert revisions(air) == 10
    assert air.heard(timedelta(days=3, hours=1), timedelta(days=3, hours=2)) != ()
