"""A receipt about a play that has no row yet: the apps whose rules planned it are asked, and the row appears."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from announcements.models import Announcement
from common import clock
from common.tenancy import system_scope
from devices import protocol
from devices.ports import DeviceReport
from events import ports
from events.delivery import EventLedger
from events.models import PlayEvent
from events.planned import AROUND, LONGEST_AWAY, insert, questions
from events.told import BACK

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOW_US = clock.to_us(NOW)
HOUR = 3_600_000_000


class Rules:
    """An app that planned these plays, and remembers what it was asked."""

    def __init__(self, *plays: ports.PlannedPlay) -> None:
        self.plays = plays
        self.asked: list[ports.Question] = []

    def planned(self, questions: Sequence[ports.Question]) -> Iterable[ports.PlannedPlay]:
        """All its plays: the ledger takes those it asked for."""
        self.asked += questions
        return self.plays


@pytest.fixture
def announcement(shop: Any) -> Announcement:
    """One that is ready."""
    with system_scope("test data"):
        return Announcement.objects.create(
            title="Till two",
            client=shop.client,
            type="tts",
            status="ready",
            audio_file="a.mp3",
            sha256="ab" * 32,
            duration_ms=4000,
        )


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`connected(rules)`: only these rules are asked."""

    def connect(rules: Rules) -> Rules:
        monkeypatch.setattr(ports, "_planners", {"test": rules})
        return rules

    return connect


def play_of(
    shop: Any, announcement: Announcement, *, device_pk: int | None = None, **changes: Any
) -> ports.PlannedPlay:
    """A play that was due an hour ago on the first device, or another."""
    values: dict[str, Any] = {
        "play_id": uuid4(),
        "client_pk": shop.client.pk,
        "floor_pk": shop.floors[0].pk,
        "announcement_pk": announcement.pk,
        "priority": "interval",
        "play_at": NOW_US - HOUR,
        "expires_at": NOW_US - HOUR + 2_000_000,
        "duck_db": -15.0,
        "late": "join",
        "events": [ports.PlannedEvent(uuid4(), device_pk or shop.devices[0].pk, 60)],
    }
    return ports.PlannedPlay(**(values | changes))


def receipt(device_pk: int, event_id: UUID, started_at: int | None = NOW_US - HOUR) -> DeviceReport:
    """`playback_complete` that arrives at NOW."""
    ended = None if started_at is None else started_at + 4_000_000
    message = protocol.PlaybackComplete(event_id=str(event_id), started_at=started_at, ended_at=ended)
    return DeviceReport(device_pk, message, NOW)


def test_a_device_that_played_offline_gets_its_row(shop: Any, announcement: Any, connected: Any) -> None:
    play = play_of(shop, announcement)
    connected(Rules(play))
    for _ in range(2):  # the device sends it until it is acknowledged
        EventLedger().store([receipt(play.events[0].device_pk, play.events[0].event_id)], now=NOW)
    with system_scope("test"):
        event = PlayEvent.objects.get()
        assert event.pk == play.events[0].event_id
        assert (event.status, event.event_type, event.priority) == ("completed", "scheduled", "interval")
        assert (event.device_name, event.floor_name, event.announcement_title) == (
            "Speaker Ground",
            "Ground",
            "Till two",
        )
        assert event.started_at == NOW - timedelta(hours=1)
        assert event.client_id == shop.client.pk
        assert [change.source for change in event.history] == ["server", "device"]


def test_a_row_that_is_there_is_not_asked_for(shop: Any, announcement: Any, connected: Any) -> None:
    play = play_of(shop, announcement)
    rules = connected(Rules(play))
    EventLedger().store([receipt(play.events[0].device_pk, play.events[0].event_id)], now=NOW)
    EventLedger().store([receipt(play.events[0].device_pk, play.events[0].event_id)], now=NOW)
    assert len(rules.asked) == 1


def test_a_reason_closes_the_row_from_the_beginning_and_a_receipt_corrects_it(
    shop: Any, announcement: Any, connected: Any
) -> None:
    play = play_of(shop, announcement)
    with system_scope("test"):
        assert insert([play], now=NOW, reason="missed") == (1, frozenset())
        assert insert([play], now=NOW) == (0, {play.events[0].event_id})
        event = PlayEvent.objects.get()
        assert (event.status, event.reason, event.completed_at) == ("failed", "missed", NOW)
        assert event.error_message == "The server was down when it was due."
    EventLedger().store([receipt(play.events[0].device_pk, play.events[0].event_id)], now=NOW)
    with system_scope("test"):
        event.refresh_from_db()
        assert (event.status, event.reason) == ("completed", "")
        assert [change.correction for change in event.history][-1]


def test_another_devices_event_stays_unknown(shop: Any, announcement: Any, connected: Any) -> None:
    play = play_of(shop, announcement)
    connected(Rules(play))
    EventLedger().store([receipt(shop.devices[1].pk, play.events[0].event_id)], now=NOW)
    with system_scope("test"):
        assert not PlayEvent.objects.exists()


def test_what_was_not_asked_for_is_not_written(shop: Any, announcement: Any, connected: Any) -> None:
    connected(Rules(play_of(shop, announcement)))
    EventLedger().store([receipt(shop.devices[0].pk, uuid4())], now=NOW)
    with system_scope("test"):
        assert not PlayEvent.objects.exists()


def test_what_was_removed_since_leaves_its_reference_empty(
    shop: Any, announcement: Any, connected: Any
) -> None:
    play = play_of(shop, announcement, announcement_pk=announcement.pk + 1, floor_pk=None)
    connected(Rules(play))
    EventLedger().store([receipt(play.events[0].device_pk, play.events[0].event_id)], now=NOW)
    with system_scope("test"):
        event = PlayEvent.objects.get()
        assert (event.announcement_id, event.announcement_title, event.floor_id) == (None, "", None)
        assert event.status == "completed"


AROUND_US = AROUND // clock.MICROSECOND
AWAY_US = LONGEST_AWAY // clock.MICROSECOND


@pytest.mark.parametrize(
    ("started_at", "earliest", "latest"),
    [
        (NOW_US - HOUR, NOW_US - HOUR - AROUND_US, NOW_US - HOUR + AROUND_US),
        (NOW_US, NOW_US - AROUND_US, NOW_US + AROUND_US),
        (NOW_US - 20 * 24 * HOUR, NOW_US - 20 * 24 * HOUR - AROUND_US, NOW_US - 20 * 24 * HOUR + AROUND_US),
        (None, NOW_US - AWAY_US, NOW_US + AROUND_US),  # it was passed over: nobody says when it was due
        (NOW_US + HOUR, NOW_US - AWAY_US, NOW_US + AROUND_US),  # such a clock is not believed
        (0, NOW_US - AWAY_US, NOW_US + AROUND_US),
        (10**30, NOW_US - AWAY_US, NOW_US + AROUND_US),
    ],
)
def test_when_a_play_was_due_that_began(started_at: int | None, earliest: int, latest: int) -> None:
    event_id = uuid4()
    (question,) = questions([(receipt(7, event_id, started_at), event_id)])
    assert (question.earliest, question.latest) == (earliest, latest)


def test_when_a_play_was_due_that_says_so() -> None:
    event_id = uuid4()
    message = protocol.PlaybackComplete(event_id=str(event_id), play_at=NOW_US - 2 * HOUR, started_at=NOW_US)
    (question,) = questions([(DeviceReport(7, message, NOW), event_id)])
    assert (question.earliest, question.latest) == (
        NOW_US - 2 * HOUR - AROUND_US,
        NOW_US - 2 * HOUR + AROUND_US,
    )


# --- what no rule explains any more ----------------------------------------------------------------------


def told(device_pk: int, event_id: UUID, announcement_pk: int | None, **fields: Any) -> DeviceReport:
    """A receipt that says what was played, by a device that comes back at NOW."""
    message = protocol.PlaybackComplete(event_id=str(event_id), announcement_id=announcement_pk, **fields)
    return DeviceReport(device_pk, message, NOW)


def test_a_play_whose_rule_is_gone_is_on_the_record_as_its_speakers_tell_it(
    shop: Any, announcement: Any, connected: Any
) -> None:
    connected(Rules())
    due = NOW_US - 26 * HOUR
    for device in shop.devices[:2]:
        receipt_ = told(
            device.pk,
            uuid4(),
            announcement.pk,
            play_at=due,
            priority="timeline",
            started_at=due + 400,
            ended_at=due + 4_000_400,
            start_error_us=400,
        )
        for _ in range(2):
            EventLedger().store([receipt_], now=NOW)
    with system_scope("test"):
        first, second = PlayEvent.objects.order_by("device_id")
        assert first.play_id == second.play_id
        assert (first.status, first.priority, first.announcement_title) == (
            "completed",
            "timeline",
            "Till two",
        )
        assert (first.client_id, first.floor_name) == (shop.client.pk, "Ground")
        assert clock.to_us(first.play_at) == due
        assert first.started_at is not None
        assert clock.to_us(first.started_at) == due + 400


@pytest.mark.parametrize(
    ("fields", "written"),
    [
        ({"started_at": NOW_US - HOUR}, True),
        ({"play_at": NOW_US - HOUR, "outcome": "unknown_after_crash"}, True),
        ({"play_at": clock.to_us(NOW - BACK) + 1}, True),
        ({"play_at": clock.to_us(NOW - BACK) - 1}, False),  # such a clock is not believed
        ({"play_at": NOW_US + HOUR}, False),
        ({}, False),  # nothing says when
    ],
)
def test_what_a_receipt_must_say_to_be_put_on_the_record(
    shop: Any, announcement: Any, connected: Any, fields: dict[str, Any], written: bool
) -> None:
    connected(Rules())
    EventLedger().store([told(shop.devices[0].pk, uuid4(), announcement.pk, **fields)], now=NOW)
    with system_scope("test"):
        assert PlayEvent.objects.exists() is written


def test_a_speaker_tells_only_of_its_own_business_and_of_its_own_events(
    shop: Any, other_shop: Any, announcement: Any, connected: Any
) -> None:
    play = play_of(shop, announcement)
    with system_scope("test"):
        insert([play], now=NOW)
    connected(Rules())
    stranger = other_shop.devices[0].pk
    EventLedger().store(
        [told(stranger, play.events[0].event_id, announcement.pk, play_at=play.play_at)], now=NOW
    )
    EventLedger().store([told(stranger, uuid4(), announcement.pk, play_at=play.play_at)], now=NOW)
    with system_scope("test"):
        assert PlayEvent.objects.get(pk=play.events[0].event_id).status == "pending"
        own = PlayEvent.objects.get(client=other_shop.client)
        assert (own.announcement_id, own.announcement_title, own.status) == (None, "", "completed")


def test_nobody_takes_the_place_of_a_play_that_has_no_row_yet(
    shop: Any, other_shop: Any, announcement: Any, connected: Any
) -> None:
    """Ids can be computed by whoever knows a schedule and a device."""
    connected(Rules())
    play = play_of(shop, announcement)
    stranger = other_shop.devices[0].pk
    for _ in range(2):
        EventLedger().store(
            [told(stranger, play.events[0].event_id, announcement.pk, play_at=play.play_at)], now=NOW
        )
    with system_scope("test"):
        assert insert([play], now=NOW) == (1, frozenset())
    EventLedger().store([receipt(play.events[0].device_pk, play.events[0].event_id)], now=NOW)
    with system_scope("test"):
        event = PlayEvent.objects.get(client=shop.client)
        assert (event.pk, event.device_id, event.status) == (
            play.events[0].event_id,
            play.events[0].device_pk,
            "completed",
        )
        assert PlayEvent.objects.get(client=other_shop.client).device_id == stranger


def test_the_words_that_were_heard_count(
    shop: Any, other_shop: Any, announcement: Any, connected: Any
) -> None:
    with system_scope("test data"):
        heard = Announcement.objects.create(
            title="Till three", client=shop.client, type="tts", status="ready", audio_file="b.mp3"
        )
        foreign = Announcement.objects.create(
            title="Secret", client=other_shop.client, type="tts", status="ready", audio_file="c.mp3"
        )
    plays = [play_of(shop, announcement) for _ in range(3)]
    connected(Rules(*plays))
    for play, announcement_pk in zip(plays, [heard.pk, foreign.pk, 0], strict=True):
        report = told(
            play.events[0].device_pk, play.events[0].event_id, announcement_pk, started_at=NOW_US - HOUR
        )
        EventLedger().store([report], now=NOW)
    with system_scope("test"):
        titles = [PlayEvent.objects.get(pk=play.events[0].event_id).announcement_title for play in plays]
    assert titles == ["Till three", "Till two", "Till two"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [("quiet_hours", "quiet_hours"), ("stopped", "floor_stopped"), ("client_locked", "client_locked")],
)
def test_a_silence_is_recorded_by_its_own_reason(
    shop: Any, announcement: Any, connected: Any, error: str, reason: str
) -> None:
    play = play_of(shop, announcement)
    connected(Rules(play))
    report = told(
        play.events[0].device_pk,
        play.events[0].event_id,
        announcement.pk,
        outcome="skipped_quiet",
        error=error,
    )
    EventLedger().store([report], now=NOW)
    with system_scope("test"):
        assert PlayEvent.objects.get().reason == reason


def test_one_question_for_each_device() -> None:
    first, second, other = uuid4(), uuid4(), uuid4()
    reports = [
        (receipt(7, first, NOW_US - 3 * HOUR), first),
        (receipt(8, other), other),
        (receipt(7, second), second),
        (DeviceReport(9, protocol.Ack(event_id=str(other), state="armed"), NOW), other),
    ]
    assert questions(reports) == [
        ports.Question(
            device_pk=7,
            event_ids=frozenset({first, second}),
            earliest=NOW_US - 3 * HOUR - AROUND_US,
            latest=NOW_US - HOUR + AROUND_US,
        ),
        ports.Question(
            device_pk=8,
            event_ids=frozenset({other}),
            earliest=NOW_US - HOUR - AROUND_US,
            latest=NOW_US - HOUR + AROUND_US,
        ),
    ]


@pytest.mark.parametrize(("plain", "sent"), [(False, False), (True, True)])
def test_the_programmes_own_announcements_are_pushed_to_plain_devices_only(
    shop: Any, announcement: Any, connected: Any, plain: bool, sent: bool
) -> None:

    play = play_of(
        shop, announcement, priority="playlist", play_at=NOW_US + HOUR, expires_at=NOW_US + 2 * HOUR
    )
    with system_scope("test"):
        insert([play], now=NOW - timedelta(minutes=1))
        shop.devices[0].plain = plain
        shop.devices[0].save()
    due = EventLedger().due([play.events[0].device_pk], reconnected=True, now=NOW)
    assert bool(due) is sent
