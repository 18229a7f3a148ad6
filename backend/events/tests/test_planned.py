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


def play_of(shop: Any, announcement: Announcement, **changes: Any) -> ports.PlannedPlay:
    """A play that was due an hour ago on the first device."""
    values: dict[str, Any] = {
        "event_id": uuid4(),
        "play_id": uuid4(),
        "device_pk": shop.devices[0].pk,
        "floor_pk": shop.floors[0].pk,
        "announcement_pk": announcement.pk,
        "priority": "interval",
        "play_at": NOW_US - HOUR,
        "expires_at": NOW_US - HOUR + 2_000_000,
        "volume": 60,
        "duck_db": -15.0,
        "late": "join",
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
        EventLedger().store([receipt(play.device_pk, play.event_id)], now=NOW)
    with system_scope("test"):
        event = PlayEvent.objects.get()
        assert event.pk == play.event_id
        assert (event.status, event.event_type, event.priority) == ("completed", "scheduled", "interval")
        assert (event.device_name, event.floor_name, event.announcement_title) == (
            "Speaker Ground",
            "Ground",
            "Till two",
        )
        assert event.started_at == NOW - timedelta(hours=1)
        assert event.client_id == shop.client.pk
        assert [change.source for change in event.changes.all()] == ["server", "device"]


def test_a_row_that_is_there_is_not_asked_for(shop: Any, announcement: Any, connected: Any) -> None:
    play = play_of(shop, announcement)
    rules = connected(Rules(play))
    EventLedger().store([receipt(play.device_pk, play.event_id)], now=NOW)
    EventLedger().store([receipt(play.device_pk, play.event_id)], now=NOW)
    assert len(rules.asked) == 1


def test_a_reason_closes_the_row_from_the_beginning_and_a_receipt_corrects_it(
    shop: Any, announcement: Any, connected: Any
) -> None:
    play = play_of(shop, announcement)
    with system_scope("test"):
        assert insert([play], now=NOW, reason="missed") == {play.event_id}
        assert insert([play], now=NOW) == set()
        event = PlayEvent.objects.get()
        assert (event.status, event.reason, event.completed_at) == ("failed", "missed", NOW)
        assert event.error_message == "The server was down when it was due."
    EventLedger().store([receipt(play.device_pk, play.event_id)], now=NOW)
    with system_scope("test"):
        event.refresh_from_db()
        assert (event.status, event.reason) == ("completed", "")
        assert [change.correction for change in event.changes.all()][-1]


def test_another_devices_event_stays_unknown(shop: Any, announcement: Any, connected: Any) -> None:
    play = play_of(shop, announcement)
    connected(Rules(play))
    EventLedger().store([receipt(shop.devices[1].pk, play.event_id)], now=NOW)
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
    EventLedger().store([receipt(play.device_pk, play.event_id)], now=NOW)
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
        (None, NOW_US - AWAY_US, NOW_US + AROUND_US),  # it was passed over: nobody says when it was due
        (NOW_US + HOUR, NOW_US - AWAY_US, NOW_US + AROUND_US),  # such a clock is not believed
        (0, NOW_US - AWAY_US, NOW_US + AROUND_US),
        (10**30, NOW_US - AWAY_US, NOW_US + AROUND_US),
    ],
)
def test_when_a_play_was_due(started_at: int | None, earliest: int, latest: int) -> None:
    event_id = uuid4()
    (question,) = questions([(receipt(7, event_id, started_at), event_id)])
    assert (question.earliest, question.latest) == (earliest, latest)


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
    due = EventLedger().due([play.device_pk], reconnected=True, now=NOW)
    assert bool(due) is sent
