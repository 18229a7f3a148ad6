"""A ledger of years: thousands of businesses and speakers, millions of plays with their history, of audit entries and
of lines in the licence log. Made in the database itself, since a row at a time would take a day."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ground import execute, multiply
from testing import servers

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
"""When the newest row was written."""
LASTING = (
    *servers.DURABLE,
    "shared_buffers=1GB",
    "max_wal_size=4GB",
    "maintenance_work_mem=512MB",
    "random_page_cost=1.1",
)
"""PostgreSQL's settings for a machine that keeps what it says: fsync is on."""
SPEAKERS = 5
"""Of a floor; a play is an event on each."""
CHANGES = (
    ("pending", "server", 0),
    ("delivered", "device", 1),
    ("playing", "device", 90),
    ("completed", "device", 95),
)
"""The history of a play: state, who said so, seconds after it was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many of each."""

    clients: int = 1_000
    events: int = 5_000_000
    history: int = 5_000_000
    """Events that have their history, the newest."""
    audit: int = 5_000_000
    music: int = 2_000_000
    days: int = 400
    """Over which all of it was written."""

    @property
    def floors(self) -> int:
        """Two for each business."""
        return self.clients * 2

    @property
    def devices(self) -> int:
        """SPEAKERS on each floor."""
        return self.floors * SPEAKERS


def arguments(description: str | None) -> argparse.ArgumentParser:
    """The options of every bench on millions of rows."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--events", type=int, default=5_000_000)
    options.add_argument("--clients", type=int, default=1_000)
    options.add_argument(
        "--data",
        type=Path,
        help="a folder that keeps the rows for the next run; it takes some minutes to fill",
    )
    return options


def filled(size: Size) -> None:
    """Fills empty tables; those that are filled already stay as they are."""
    from events.models import PlayEvent

    if PlayEvent._base_manager.exists():
        return
    _models()
    with _without_indexes("play_events", "play_event_changes", "audit_logs", "music_plays"):
        _rows(size)
    execute("VACUUM ANALYZE")


def _models() -> None:
    """One row of each kind, which is then multiplied."""
    from announcements.models import Announcement
    from audit.services import record
    from clients.models import Client
    from common.media_fields import Readiness
    from common.tenancy import system_scope
    from devices.models import Device
    from events.models import PlayEvent, PlayEventChange
    from music.models import MusicFile
    from playlists.models import MusicPlay
    from schedules.models import Schedule, ScheduleFloor, ScheduleOccurrence
    from users.models import User
    from webhooks.models import Webhook, WebhookDelivery
    from zones.models import Floor

    with system_scope("a bench fills the tables"):
        client = Client.objects.create(
            name="Shop", business_name="Shop", email="a@example.com", status="active"
        )
        floor = Floor.objects.create(client=client, name="Ground")
        user = User.everyone.create_user(
            "shop@example.com", email="shop@example.com", role="client", client=client
        )
        device = Device.objects.create(client=client, floor=floor, name="Speaker", device_id="s")
        words = Announcement.objects.create(
            client=client, title="Words", type="tts", status=Readiness.READY, audio_file="a.mp3",
            mime_type="audio/mpeg", file_size=40_000, duration=5, duration_ms=5_000, sha256="0" * 64, created_by=user,
        )  # fmt: skip
        track = MusicFile.objects.create(
            client=client,
            name="Track",
            status=Readiness.READY,
            file="a.mp3",
            mime_type="audio/mpeg",
            file_size=4_000_000,
            duration=200,
            duration_ms=200_000,
            created_by=user,
        )
        event = PlayEvent.objects.create(
            client=client, play_id="00000000-0000-4000-8000-000000000000", announcement=words, device=device,
            floor=floor, announcement_title="Dear guests, we close", device_name="Speaker at the till",
            floor_name="Ground floor", event_type="scheduled", priority="interval", status="completed",
            outcome="played", play_at=NOW, expires_at=NOW, created_at=NOW, delivered_at=NOW, started_at=NOW,
            completed_at=NOW, start_error_us=800, played_ms=5_000,
        )  # fmt: skip
        PlayEventChange.objects.create(event=event, at=NOW, status="pending", source="server")
        schedule = Schedule.objects.create(
            client=client, name="Hourly", schedule_type="interval", interval_minutes=60
        )
        ScheduleFloor.objects.create(schedule=schedule, floor=floor)
        ScheduleOccurrence.objects.create(play_id=event.play_id, schedule=schedule, play_at=NOW)
        MusicPlay.objects.create(
            client=client, device=device, device_name="Speaker at the till", floor=floor, floor_name="Ground floor",
            music_file=track, title="Track", artist="Somebody", segment="s", started_at=NOW, heard_until=NOW,
            sounding=False,
        )  # fmt: skip
        webhook = Webhook.objects.create(
            client=client, url="https://shop.example/hook", events=["play.failed"]
        )
        WebhookDelivery.objects.create(
            webhook=webhook, client=client, message_id="m", type="play.failed", payload="{}" * 400, created_at=NOW,
            status="delivered",
        )  # fmt: skip
        record(
            "update", resource="device", resource_id=device.pk, client_id=client.pk,
            details={"before": {"name": "Till 123456"}, "after": {"name": "Desk 123456"}},
        )  # fmt: skip
    for table in TABLES:
        execute(f"CREATE TEMP TABLE model_{table} AS SELECT * FROM {table} ORDER BY 1 DESC LIMIT 1")  # noqa: S608  # our own names
    execute(
        "SET session_replication_role = replica"
    )  # neither foreign keys nor the trail's triggers are looked at
    execute(f"TRUNCATE {', '.join(TABLES)}, audit_chains CASCADE")


TABLES = (
    "clients", "users", "floors", "devices", "announcements", "music_files", "play_events", "play_event_changes",
    "schedules", "schedule_floors", "schedule_occurrences", "music_plays", "webhooks", "webhook_deliveries",
    "audit_logs",
)  # fmt: skip


def _rows(size: Size) -> None:
    from django.apps import apps

    of = {model._meta.db_table: model for model in apps.get_models()}
    end = f"'{NOW:%F %T}+00'::timestamptz"
    play = f"((n - 1) / {SPEAKERS})"
    floor = f"(1 + ({play}::bigint * 7919) % {size.floors})"
    client = f"(1 + ({floor} - 1) / 2)"

    def at(count: int, place: str = "n") -> str:
        """The instant of a row, evenly over the days; rows of one place share it."""
        return f"{end} - interval '{size.days} days' * (1 - {place}::float8 / {count})"

    written = at(max(1, size.events // SPEAKERS), play)
    reason = "CASE WHEN n % 100000 = 7 THEN 'decode_failed' WHEN n % 40 = 0 THEN 'offline' ELSE '' END"
    failed = "(n % 100000 = 7 OR n % 40 = 0)"
    execute("SET session_replication_role = replica")
    multiply(of["clients"], size.clients, id="n", name="'Shop ' || n", email="'s' || n || '@example.com'")
    multiply(
        of["users"], size.clients, id="n", username="'s' || n || '@example.com'", email="'s' || n || '@example.com'",
        client_id="n",
    )  # fmt: skip
    multiply(of["floors"], size.floors, id="n", name="'Floor ' || n", client_id="1 + (n - 1) / 2")
    multiply(
        of["devices"], size.devices, id="n", device_id="'s' || n", name="'Speaker ' || n",
        floor_id=f"1 + (n - 1) / {SPEAKERS}", client_id=f"1 + (n - 1) / {SPEAKERS * 2}",
    )  # fmt: skip
    for table, key in (("announcements", "title"), ("music_files", "name")):
        multiply(
            of[table], size.clients * 5, id="n", client_id="1 + (n - 1) / 5", created_by_id="1 + (n - 1) / 5",
            sha256="lpad(n::text, 64, '0')", **{key: f"'{key} ' || n"},
        )  # fmt: skip
    multiply(of["schedules"], size.floors, id="n", client_id="1 + (n - 1) / 2", name="'Hourly ' || n")
    multiply(of["schedule_floors"], size.floors, id="n", schedule_id="n", floor_id="n")
    multiply(of["webhooks"], size.clients, id="n", client_id="n")
    multiply(
        of["webhook_deliveries"], size.clients * 100, id="n", webhook_id=f"1 + n % {size.clients}",
        client_id=f"1 + n % {size.clients}", message_id="'m' || n",
        created_at=f"{end} - interval '14 days' * (1 - n::float8 / {size.clients * 100})",
    )  # fmt: skip
    multiply(
        of["play_events"], size.events, id="md5(n::text)::uuid", play_id=f"md5('p' || {play})::uuid",
        announcement_id=f"{client} * 5 - {play} % 5", client_id=client, floor_id=floor,
        device_id=f"({floor} - 1) * {SPEAKERS} + 1 + n % {SPEAKERS}",
        status=f"CASE WHEN n > {size.events - SPEAKERS * 20} THEN 'pending'"
        f" WHEN {failed} THEN 'failed' ELSE 'completed' END",
        event_type="CASE WHEN n % 100 < 5 THEN 'instant' ELSE 'scheduled' END",
        reason=reason, created_at=written, play_at=f"{written} + interval '90 s'",
        expires_at=f"{written} + interval '92 s'", delivered_at=f"{written} + interval '1 s'",
        started_at=f"{written} + interval '90 s'", completed_at=f"{written} + interval '95 s'",
    )  # fmt: skip
    for status, source, seconds in CHANGES:
        execute(
            "INSERT INTO play_event_changes (event_id, at, status, reason, source, correction, detail)"  # noqa: S608  # our own names
            f" SELECT md5(n::text)::uuid, {written} + interval '{seconds} s', '{status}', '', '{source}', false, '{{}}'"
            f" FROM generate_series({size.events - size.history + 1}, {size.events}) n"
        )
    plays = size.events // SPEAKERS
    multiply(
        of["schedule_occurrences"], plays, play_id="md5('p' || (n - 1))::uuid",
        schedule_id=f"1 + ((n - 1)::bigint * 7919) % {size.floors}", play_at=f"{at(plays)} + interval '90 s'",
    )  # fmt: skip
    multiply(
        of["music_plays"], size.music, id="n", client_id=f"1 + ((n - 1) % {size.devices}) / {SPEAKERS * 2}",
        device_id=f"1 + (n - 1) % {size.devices}", floor_id=f"1 + ((n - 1) % {size.devices}) / {SPEAKERS}",
        music_file_id=f"1 + ((n - 1) % {size.devices}) / {SPEAKERS * 2} * 5",
        started_at=at(size.music), heard_until=f"{at(size.music)} + interval '200 s'", report_id="md5(n::text)::uuid",
    )  # fmt: skip
    actions = "(ARRAY['update', 'play', 'control', 'login', 'create', 'volume', 'toggle', 'delete'])"
    multiply(
        of["audit_logs"], size.audit, id="n", client_id=f"1 + (n - 1) % {size.clients}",
        user_id=f"1 + (n - 1) % {size.clients}", resource_id=f"(n % {size.devices})::text",
        action=f"{actions}[1 + n % 8]", timestamp=at(size.audit), request_id="md5(n::text)",
        digest="md5(n::text) || md5(n::text)", hash="md5(n::text) || md5((-n)::text)",
        number=f"1 + (n - 1) / {size.clients}",
    )  # fmt: skip
    execute(
        "INSERT INTO audit_chains (chain, number, hash, start_number, start_hash, sealed_at)"  # our own
        " SELECT DISTINCT ON (client_id) client_id, number, hash, 0, repeat('0', 64), timestamp FROM audit_logs"
        " ORDER BY client_id, number DESC"
    )
    for table in ("clients", "users", "floors", "devices", "announcements", "music_files", "schedules", "music_plays",
                  "webhooks", "webhook_deliveries", "audit_logs", "schedule_floors"):  # fmt: skip
        execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")  # noqa: S608  # our own names
    execute("SET session_replication_role = DEFAULT")


@contextmanager
def _without_indexes(*tables: str) -> Iterator[None]:
    """The tables lose their indexes but for those of constraints, and get them again."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND NOT EXISTS ("
            " SELECT FROM pg_constraint WHERE conname = indexname)",
            [list(tables)],
        )
        found = cursor.fetchall()
    for name, _ in found:
        execute(f'DROP INDEX "{name}"')
    yield
    for _, definition in found:
        execute(definition)
