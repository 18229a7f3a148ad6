"""The end of a business: two steps over the API, and the job that may be stopped anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as current_settings
from django.core.files.base import ContentFile
from django.db import models, transaction

from announcements.models import Announcement
from audit.models import AuditLog
from clients import erasing
from clients.models import Client
from common import clock
from common.tenancy import system_scope
from conftest import PASSWORD, Business
from devices import bus
from devices.hub import Shut
from devices.models import Device
from devices.protocol import SetDesired
from events.models import PlayEvent
from events.tests.support import make_announcement, make_event
from music.models import MusicFile
from playlists.models import ChannelPlaylist, MusicPlay
from schedules.models import Schedule
from users.models import User

URL = "/api/clients/"


def furnish(business: Business) -> list[Path]:
    """One of everything that belongs to a business; returns its files."""
    now = clock.now()
    with system_scope("test data"):
        music = MusicFile.objects.create(
            client=business.client,
            name="Track",
            file=ContentFile(b"music", name="track.mp3"),
            file_size=5,
            duration=1,
            mime_type="audio/mpeg",
            created_by=business.admin,
        )
        words = make_announcement(business, audio_file=ContentFile(b"words", name="words.opus"))
        avatar = f"avatars/{business.admin.pk}.webp"
        User.everyone.filter(pk=business.admin.pk).update(avatar=avatar)
        face = Path(current_settings.MEDIA_ROOT) / avatar
        face.parent.mkdir(parents=True, exist_ok=True)
        face.write_bytes(b"face")
        ChannelPlaylist.objects.create(client=business.client, name="All day", created_by=business.admin)
        Schedule.objects.create(
            client=business.client, name="Hourly", schedule_type="interval", created_by=business.admin
        )
        for device in business.devices:
            make_event(business, device=device, announcement=words, now=now, play_at=now, expires_at=now)
    return [Path(music.file.path), Path(words.audio_file.path), face]


def rows_of(client_id: int) -> dict[str, int]:
    """How many rows of each model belong to this business."""
    return {
        model._meta.label: model._base_manager.filter(**{key: client_id}).count()
        for model, key in erasing.owned_models()
    }


def exists(client: Client) -> bool:
    return Client._base_manager.filter(pk=client.pk).exists()


# --- two steps -------------------------------------------------------------------------------------------


def test_asked_for_it_is_locked_and_says_what_to_do(
    call: Any,
    staff: Any,
    shop: Business,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(bus, "publish", lambda *messages: sent.extend(messages))
    admin = call(shop.admin)
    session = call().post("/api/auth/login/", {"email": shop.admin.email, "password": PASSWORD}).json()
    with django_capture_on_commit_callbacks(execute=True):
        answer = call(staff).delete(f"{URL}{shop.client.pk}/")
    assert answer.status_code == 202
    body = answer.json()
    assert shop.client.name in body["detail"]
    assert (body["confirm_url"], body["deletion_confirmed_at"]) == (
        f"{URL}{shop.client.pk}/confirm-deletion/",
        None,
    )
    told = [
        frame.message.silenced for frame in sent if isinstance(getattr(frame, "message", None), SetDesired)
    ]
    assert told == [True, True]
    assert admin.get("/api/auth/me/").status_code == 401
    login = call().post("/api/auth/login/", {"email": shop.admin.email, "password": PASSWORD})
    assert (login.status_code, login.json()["code"]) == (401, "bad_credentials")
    assert call().post("/api/auth/refresh/", {"refresh": session["refresh"]}).status_code == 401
    assert exists(shop.client)
    again = call(staff).delete(f"{URL}{shop.client.pk}/")
    assert (again.status_code, again.json()) == (202, body)

    back = call(staff).post(body["cancel_url"])
    assert (back.status_code, back.json()["lock"]) == (200, None)
    assert admin.get("/api/auth/me/").status_code == 200


@pytest.mark.parametrize("name", ["", "our shop", "Our sho", "Other shop", None])
def test_another_name_confirms_nothing(call: Any, staff: Any, shop: Business, name: Any) -> None:
    call(staff).delete(f"{URL}{shop.client.pk}/")
    answer = call(staff).post(f"{URL}{shop.client.pk}/confirm-deletion/", {"name": name}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "name")
    assert erasing.confirmed() == []


def test_the_second_step_needs_the_first(call: Any, staff: Any, shop: Business) -> None:
    for route, body in (("confirm-deletion", {"name": shop.client.name}), ("cancel-deletion", {})):
        answer = call(staff).post(f"{URL}{shop.client.pk}/{route}/", body, format="json")
        assert (answer.status_code, answer.json()["code"]) == (409, "deletion_not_requested")


def test_confirmed_it_cannot_be_undone_or_changed(call: Any, staff: Any, shop: Business) -> None:
    condemn(call, staff, shop)
    for method, route, body in (
        ("post", "cancel-deletion/", {}),
        ("post", "extend-trial/", {"days": 3}),
        ("patch", "", {"status": "active"}),
    ):
        answer = getattr(call(staff), method)(f"{URL}{shop.client.pk}/{route}", body, format="json")
        assert (answer.status_code, answer.json()["code"]) == (403, "client_deleting"), route
    again = call(staff).delete(f"{URL}{shop.client.pk}/")
    assert (again.status_code, again.json()["confirm_url"]) == (202, None)


def condemn(call: Any, staff: Any, business: Business) -> None:
    url = f"{URL}{business.client.pk}/"
    assert call(staff).delete(url).status_code == 202
    confirmed = call(staff).post(f"{url}confirm-deletion/", {"name": business.client.name}, format="json")
    assert confirmed.status_code == 202
    assert confirmed.json()["deletion_confirmed_at"] is not None


# --- the job ---------------------------------------------------------------------------------------------


def test_it_goes_with_all_its_rows_and_files_and_nothing_else(
    call: Any, staff: Any, shop: Business, other_shop: Business, django_capture_on_commit_callbacks: Any
) -> None:
    files, others_files = furnish(shop), furnish(other_shop)
    others = rows_of(other_shop.client.pk)
    assert all(others[model._meta.label] for model in (MusicFile, Announcement, Schedule, User, PlayEvent))
    call(staff).patch(f"{URL}{shop.client.pk}/", {"description": "Corner"}, format="json")
    condemn(call, staff, shop)
    with django_capture_on_commit_callbacks(execute=True):
        assert erasing.erase(client_id=shop.client.pk)
    assert not exists(shop.client)
    assert set(rows_of(shop.client.pk).values()) == {0}
    assert [path.exists() for path in files] == [False] * 3
    assert rows_of(other_shop.client.pk) == others
    assert [path.exists() for path in others_files] == [True] * 3
    assert erasing.confirmed() == []
    assert call(staff).get(f"{URL}{shop.client.pk}/").status_code == 404


def test_the_trail_stays_and_reads(call: Any, staff: Any, shop: Business, everything: None) -> None:
    call(shop.admin).patch("/api/business/", {"description": "Corner"}, format="json")
    condemn(call, staff, shop)
    before = list(AuditLog.objects.filter(client_id=shop.client.pk).values("pk", "actor_name", "details"))
    assert {shop.admin.username, staff.username} <= {entry["actor_name"] for entry in before}
    assert erasing.erase(client_id=shop.client.pk)
    after = AuditLog.objects.filter(pk__in=[entry["pk"] for entry in before])
    assert list(after.order_by("pk").values("pk", "actor_name", "details")) == sorted(
        before, key=lambda entry: entry["pk"]
    )
    gone = AuditLog.objects.filter(resource="client", action="delete").get()
    assert (gone.resource_id, gone.actor_name) == (str(shop.client.pk), "system")
    assert shop.client.name in gone.details
    assert str(after[0])


class PowerCut(Exception):
    """What stops the job in this test."""


def test_stopped_anywhere_it_is_taken_up_again(
    call: Any, staff: Any, shop: Business, other_shop: Business, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = furnish(shop)
    furnish(other_shop)
    others = rows_of(other_shop.client.pk)
    condemn(call, staff, shop)
    monkeypatch.setattr(erasing, "AT_ONCE", 1)
    whole = erasing._remove_some
    steps = iter(range(10_000))

    def cut_off(*args: Any) -> int | None:
        with transaction.atomic():
            removed = whole(*args)
            if removed and next(steps) % 3 == 2:
                raise PowerCut
            return removed

    monkeypatch.setattr(erasing, "_remove_some", cut_off)
    cuts = 0
    while exists(shop.client):
        try:
            erasing.erase(client_id=shop.client.pk)
        except PowerCut:
            cuts += 1
            assert erasing.confirmed() == [shop.client.pk]
            assert cuts < 100
    assert cuts > 3
    assert not any(path.exists() for path in files)
    assert rows_of(other_shop.client.pk) == others


def test_what_was_not_confirmed_is_left_alone(call: Any, staff: Any, shop: Business) -> None:
    before = rows_of(shop.client.pk)
    call(staff).delete(f"{URL}{shop.client.pk}/")
    assert not erasing.erase(client_id=shop.client.pk)
    assert rows_of(shop.client.pk) == before


def test_speakers_are_hung_up(
    call: Any,
    staff: Any,
    shop: Business,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    condemn(call, staff, shop)
    sent: list[Any] = []
    monkeypatch.setattr(bus, "publish", lambda *messages: sent.extend(messages))
    with django_capture_on_commit_callbacks(execute=True):
        erasing.erase(client_id=shop.client.pk)
    shut = [pk for message in sent if isinstance(message, Shut) for pk in message.devices]
    assert sorted(shut) == sorted(device.pk for device in shop.devices)


def test_every_file_of_a_business_is_reached() -> None:
    """A model with files whose rows the job does not take by their business would leave its files behind."""
    owned = {model for model, _ in erasing.owned_models()}
    assert {MusicFile, Announcement, User, Device, PlayEvent, MusicPlay} <= owned
    assert AuditLog not in owned
    keeps_files = {
        model
        for model in apps.get_models()
        if any(isinstance(field, models.FileField) for field in model._meta.concrete_fields)
    }
    assert keeps_files - owned == set()
