"""Fixtures of the programmes' tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from common import clock
from common.tenancy import system_scope
from devices import bus
from devices.hub import Frame
from devices.protocol import PlanChanged
from playlists import renewal, services
from playlists.domain import Segment
from playlists.models import ChannelPlaylist
from playlists.selectors import segments_of
from playlists.services import Assignment, Entry
from playlists.tests.support import NOON


class Air:
    """A floor with one playlist, and the hands that change it."""

    def __init__(self, shop: Any) -> None:
        self.shop = shop
        self.floor = shop.floors[0]
        with system_scope("test data"):
            self.playlist: ChannelPlaylist = services.create_playlist(
                client=shop.client, by=shop.admin, name="Morning", shuffle_music=False
            )
            services.assign_floors(playlist=self.playlist, assignments=[Assignment(self.floor)])

    def hold(self, *sounds: Any, **changes: Any) -> None:
        """Makes this the playlist's list."""
        with system_scope("test"):
            self.playlist.refresh_from_db()
            services.update_playlist(
                playlist=self.playlist, items=[Entry(sound) for sound in sounds], **changes
            )

    def renew(self, after: timedelta = timedelta(0)) -> datetime:
        """The tick reads again what has changed, so long after NOON; answers that instant."""
        renewal.renew(now=NOON + after)
        return NOON + after

    def heard(self, start: timedelta, end: timedelta) -> Sequence[Segment]:
        """What sounds between these times after NOON."""
        with system_scope("test"):
            return segments_of(self.floor.pk, clock.to_us(NOON + start), clock.to_us(NOON + end))


@pytest.fixture
def air(shop: Any) -> Air:
    """The first floor of the shop with an empty playlist of its own."""
    return Air(shop)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any) -> Any:
    """`told(run)`: the devices that hear `plan_changed` when what `run` does is committed, one list a message."""

    def listen(run: Any) -> list[list[int]]:
        said: list[list[int]] = []

        def published(message: Any) -> None:
            if isinstance(message, Frame) and isinstance(message.message, PlanChanged):
                said.append(message.devices)

        monkeypatch.setattr(bus, "publish", published)
        with django_capture_on_commit_callbacks(execute=True):
            run()
        return said

    return listen
