"""Our server in the production footprint with a fleet's rows, and one message to all of it as the bus carries it."""

from __future__ import annotations

import os
import secrets
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ground import execute
from journeys import lab

from fleet.wire import Speaker

HELLO = (
    b'{"type":"hello","boot_id":"bench","software":"bench 1.0","capabilities":["music_reports"],'
    b'"clock":{"state":"synced","error_us":300,"round_trip_us":900},"applied_rev":1}'
)
ON_A_FLOOR = 20
IN_MS = 60 * 60 * 1000
"""So far ahead an order's start lies: nothing expires while it is measured."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What the tables hold: one business, its devices' keys, ids and tokens, and one announcement."""

    client: int
    floors: list[int]
    announcement: int
    devices: list[tuple[int, str, str]]


def filled(count: int, *, prefix: str = "bench") -> Rows:
    """Rows of a business with `count` devices, twenty on each floor."""
    from announcements.models import Announcement
    from clients.models import Client
    from common.crypto import fingerprint
    from common.media_fields import Readiness
    from common.tenancy import system_scope
    from devices.models import Device
    from zones.models import Floor

    with system_scope("a bench fills the tables"):
        client = Client.objects.create(
            name="Shop", business_name="Shop", email=f"{prefix}@example.com", status="active"
        )
        floors = Floor.objects.bulk_create(
            Floor(client=client, name=f"Floor {n}") for n in range(-(-count // ON_A_FLOOR))
        )
        spoken = Announcement.objects.create(
            client=client, title="Words", type="tts", status=Readiness.READY, audio_file="a.mp3",
            mime_type="audio/mpeg", file_size=40_000, duration=5, duration_ms=5_000, sha256="0" * 64,
        )  # fmt: skip
        tokens = [secrets.token_urlsafe(32) for _ in range(count)]
        devices = Device.objects.bulk_create(
            Device(
                client=client, floor=floors[n // ON_A_FLOOR], name=f"Speaker {n}", device_id=f"{prefix}-{n}",
                token_hash=fingerprint(token),
            )
            for n, token in enumerate(tokens)
        )  # fmt: skip
    execute("VACUUM ANALYZE")
    return Rows(
        client.pk,
        [floor.pk for floor in floors],
        spoken.pk,
        [(device.pk, device.device_id, token) for device, token in zip(devices, tokens, strict=True)],
    )


def speakers(rows: Rows, port: int) -> list[Speaker]:
    """The devices' side of the wire."""
    return [
        Speaker(host=f"127.0.0.1:{port}", device_id=device_id, token=token, hello=HELLO)
        for _, device_id, token in rows.devices
    ]


@contextmanager
def server(folder: Path, **environ: str) -> Iterator[lab.Server]:
    """`manage.py serve` in the production footprint, on the servers of `ground.database`."""
    started = lab.Server(folder, environ=production() | environ).start()
    try:
        yield started
    finally:
        started.stop()


def production() -> dict[str, str]:
    """The environment of our processes beside this one."""
    return {
        "DATABASE_URL": os.environ["SYNC2GEAR_TEST_DATABASE_URL"],
        "REDIS_URL": os.environ["SYNC2GEAR_TEST_REDIS_URL"],
        "SECRET_KEY": os.environ["SECRET_KEY"],
        "ENCRYPTION_KEYS": os.environ["ENCRYPTION_KEYS"],
        "LOG_LEVEL": "WARNING",
    }


def order(rows: Rows) -> Any:
    """A `play_announcement` as the API and the scheduler make them; event and instants are each device's own."""
    from devices.protocol import PlayAnnouncement

    return PlayAnnouncement(
        announcement_id=rows.announcement,
        audio_url=f"/media/announcement/{rows.announcement}/?expires=1800000000&signature={'0' * 43}",
        volume=0,
        event_id=str(uuid.UUID(int=0)),
        play_at=0,
        expires_at=0,
        sha256="0" * 64,
        bytes=40_000,
        mime="audio/mpeg",
        duration_ms=5_000,
        gain_db=-3.2,
    )


def frame_like(rows: Rows) -> bytes:
    """The same order as one device gets it: what a baseline sends to all."""
    import msgspec

    from common import clock
    from devices.hub import stamped
    from devices.protocol import encode

    now = clock.now_us()
    whole = msgspec.structs.replace(
        order(rows), event_id=str(uuid.uuid4()), volume=75, play_at=now, expires_at=now + 1
    )
    return encode(stamped(whole))


@dataclass(frozen=True, slots=True)
class Play:
    """One announcement for all devices, with its rows in the ledger."""

    play_id: str
    message: Any
    count: int

    def send(self) -> None:
        """Puts it on the bus."""
        from devices import bus

        bus.publish(self.message)

    def stored(self) -> float:
        """When the acknowledgement of every device is committed (`time.perf_counter`); waits for it."""
        from django.db import connection

        deadline = time.monotonic() + 120
        while True:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(*) FROM play_events WHERE play_id = %s AND status = 'delivered'",
                    [self.play_id],
                )
                if cursor.fetchone()[0] == self.count:
                    return time.perf_counter()
            assert time.monotonic() < deadline, "not all acknowledgements were stored"
            time.sleep(0.01)


def play(rows: Rows, devices: Sequence[int]) -> Play:
    """Writes a play's rows for these devices, pending."""
    from django.db import connection

    from devices.hub import Plays, Target

    play_id = str(uuid.uuid4())
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO play_events (id, play_id, announcement_id, device_id, client_id, announcement_title,"
            " device_name, floor_name, event_type, priority, status, reason, error_message, play_at, expires_at,"
            " volume, duck_db, late, waits_for_device, override_quiet_hours, created_at, outcome)"
            " SELECT gen_random_uuid(), %s, %s, d, %s, 'Words', 'Speaker', 'Floor', 'instant', 'instant',"
            " 'pending', '', '', now() + interval '1 hour', now() + interval '2 hours', 75, -15, 'skip', false,"
            " false, now(), '' FROM unnest(%s::bigint[]) d"
            " RETURNING device_id, id, (extract(epoch FROM play_at) * 1000000)::bigint",
            [play_id, rows.announcement, rows.client, list(devices)],
        )
        targets = [
            Target(device, str(event), 75, at, at + IN_MS * 1000) for device, event, at in cursor.fetchall()
        ]
    return Play(play_id, Plays(order(rows), targets), len(targets))
