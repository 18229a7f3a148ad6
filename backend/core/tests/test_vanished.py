"""A row that somebody deletes between its look-up and its lock is gone: 404, wherever that happens."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from ai_config.models import AIProvider
from ai_config.services import toggle_provider, update_provider
from announcements.services import update_announcement
from clients.deletion import request_deletion
from clients.models import Client
from clients.selectors import locked_for_update
from clients.services import extend_trial, set_up_business
from common import clock
from common.api import TenantViewSet
from common.errors import Refusal
from conftest import Business
from devices.services import change_device
from events.tests.support import make_announcement
from music.models import MusicFile
from music.services import update_music

pytestmark = pytest.mark.django_db


def music_of(shop: Business) -> MusicFile:
    """A track."""
    return MusicFile.objects.create(client=shop.client, name="T", file="a.mp3", file_size=1, duration=1)


def provider_of(shop: Business) -> AIProvider:
    """An account."""
    return AIProvider.objects.create(name="Main", provider="openai", api_key="k")


def empty_business(shop: Business) -> Client:
    """One that has nothing yet, so that it can go at once."""
    return Client.objects.create(name="New", business_name="New", email="new@example.com", status="trial")


CHANGES: dict[str, tuple[Callable[[Business], Any], Callable[[Any], Any]]] = {
    "music": (music_of, lambda row: update_music(music=row, changes={"name": "U"})),
    "announcement": (
        make_announcement,
        lambda row: update_announcement(announcement=row, changes={"title": "U"}, now=clock.now()),
    ),
    "provider": (provider_of, lambda row: update_provider(provider=row, changes={"name": "U"})),
    "toggle": (provider_of, lambda row: toggle_provider(provider=row)),
    "device": (lambda shop: shop.devices[0], lambda row: change_device(device=row, values={"volume": 3})),
    "business": (empty_business, lambda row: set_up_business(client=row, telephone="1")),
    "trial": (empty_business, lambda row: extend_trial(client=row, days=1, now=clock.now())),
    "deletion": (empty_business, lambda row: request_deletion(client=row, now=clock.now())),
    "count": (empty_business, lambda row: locked_for_update(row.pk)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_what_is_gone(name: str, shop: Business, everything: None) -> None:
    make, change = CHANGES[name]
    row = make(shop)
    type(row)._base_manager.filter(pk=row.pk)._raw_delete("default")
    with pytest.raises(Refusal) as refused:
        change(row)
    assert refused.value.code == "not_found"


@pytest.mark.parametrize(
    ("path", "body"),
    [("/api/devices/{device}/volume/", {"volume": 3}), ("/api/ai-providers/{provider}/toggle/", {})],
)
def test_the_api_says_404(
    path: str, body: Any, shop: Business, staff: Any, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = TenantViewSet.get_object

    def look_up_and_lose(view: Any) -> Any:
        row = look_up(view)
        type(row)._base_manager.filter(pk=row.pk).delete()
        return row

    monkeypatch.setattr(TenantViewSet, "get_object", look_up_and_lose)
    named = path.format(device=shop.devices[0].pk, provider=provider_of(shop).pk)
    answer = call(staff).post(named, body)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_nobody_takes_a_lock_in_another_way() -> None:
    backend = Path(settings.BASE_DIR)
    sources = [path for path in backend.rglob("*.py") if not {"tests", "migrations"} & set(path.parts)]
    hasty = [
        str(path.relative_to(backend))
        for path in sources
        if re.search(
            r"select_for_update\([^)]*\)(?:\s*\.(?!get\b|filter\b)\w+\([^)]*\))*\s*\.get\(", path.read_text()
        )
    ]
    assert not hasty, "common.rows.lock_row says 404 when the row is gone"
