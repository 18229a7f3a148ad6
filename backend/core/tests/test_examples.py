"""The examples of the API's description are true: each request is made again, and its answer has the recorded shape.

The requests are those of `test_permissions.LINES`, as the first caller who is allowed; `INSTEAD` has those that need
something prepared, a file, or a body that tells more. `make examples` records them anew.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import resolve
from PIL import Image

from announcements.models import Announcement
from clients.deletion import request_deletion
from clients.models import Client
from common import clock
from common.openapi import ScopedSchemaGenerator
from common.tenancy import system_scope
from common.tests.sounds import sound
from conftest import PASSWORD, Business, make_business, make_user
from core.examples import RECORDED, recorded
from core.tests.test_permissions import LINES, Line, example
from devices.models import Device
from devices.services import claim_device, start_pairing
from events.models import PlayEvent
from music.models import MusicFile
from playlists.models import ChannelPlaylist
from schedules.models import Schedule
from users import links
from users.sessions import open_session

pytestmark = [pytest.mark.django_db, pytest.mark.once("embedded")]


CALLERS = ("client admin", "super admin", "floor user", "speaker", "anonymous")
"""In the order of preference."""
PLACES = {"anonymous": 0, "floor user": 1, "client admin": 4, "super admin": 6, "speaker": 7}
"""Where each caller's own answer stands among the answers of a line, its bars left out."""

MASKED = {"access", "refresh", "token", "ticket", "device_code", "secret", "password", "current_password"}
"""Members whose value is nobody's business and different each time."""

Prepare = Callable[[Business, dict[str, Any]], dict[str, Any]]


def _open(shop: Business, values: dict[str, Any]) -> dict[str, Any]:
    return {"refresh": open_session(shop.admin).refresh}


def _invited(shop: Business, values: dict[str, Any]) -> dict[str, Any]:
    person = make_user("client", shop.client)
    person.set_unusable_password()
    person.save()
    return {"invited": person.pk, "link": links.token_for(person, links.INVITATION, now=clock.now())}


def _forgetful(shop: Business, values: dict[str, Any]) -> dict[str, Any]:
    return {"link": links.token_for(shop.floor_user, links.PASSWORD_RESET, now=clock.now())}


def _claimed(shop: Business, values: dict[str, Any]) -> dict[str, Any]:
    waiting = start_pairing(hardware_id="hw-till", name="", software="", ip_address=None, now=clock.now())
    with system_scope("test data"):
        claim_device(client=shop.client, code=waiting.user_code, name="Till", floor=None, now=clock.now())
    return {"device_code": waiting.device_code}


def _on_trial(shop: Business, values: dict[str, Any]) -> dict[str, Any]:
    with system_scope("test data"):
        Client.objects.filter(pk=shop.client.pk).update(
            status=Client.Status.TRIAL, trial_ends_at=clock.now() + timedelta(days=3)
        )
    return {}


def _deletion_asked(shop: Business, values: dict[str, Any]) -> dict[str, Any]:
    with system_scope("test data"):
        request_deletion(client=shop.client, now=clock.now())
    return {"client_name": shop.client.name}


@dataclass(frozen=True)
class Instead:
    """What differs from the line: the body, files in it, and what has to be there first."""

    body: dict[str, Any] | None = None
    prepare: Prepare | None = None
    path: str = ""
    caller: str = ""


def _picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(buffer, "PNG")
    return buffer.getvalue()


FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "@morning.mp3": ("morning.mp3", lambda: sound(seconds=0.3)),
    "@portrait.png": ("portrait.png", _picture),
}
"""Files that a body names."""

INSTEAD: dict[str, Instead] = {
    "POST auth/logout/": Instead({"refresh": "{refresh}"}, _open, caller="client admin"),
    "POST auth/invitations/accept/": Instead({"token": "{link}", "password": PASSWORD}, _invited),
    "POST auth/password-reset/confirm/": Instead({"token": "{link}", "password": PASSWORD}, _forgetful),
    "PUT auth/me/avatar/": Instead({"file": "@portrait.png"}, caller="client admin"),
    "PUT users/{user}/avatar/": Instead({"file": "@portrait.png"}, caller="client admin"),
    "POST users/{user}/invite/": Instead(
        None, _invited, path="users/{invited}/invite/", caller="client admin"
    ),
    "POST clients/{client}/extend-trial/": Instead({"days": 7}, _on_trial, caller="super admin"),
    "POST clients/{client}/confirm-deletion/": Instead(
        {"name": "{client_name}"}, _deletion_asked, caller="super admin"
    ),
    "POST clients/{client}/cancel-deletion/": Instead(None, _deletion_asked, caller="super admin"),
    "POST devices/pair/token/": Instead({"device_code": "{device_code}"}, _claimed, caller="anonymous"),
    "POST music/upload/": Instead(
        {"file": "@morning.mp3", "name": "Morning light", "artist": "The Counters"}, caller="client admin"
    ),
    "POST floors/": Instead(
        {
            "name": "First floor",
            "default_volume": 60,
            "quiet_hours_start": "21:00",
            "quiet_hours_end": "08:00",
        }
    ),
    "PATCH floors/{floor}/": Instead({"default_volume": 55, "timezone": "Europe/London"}),
    "POST announcements/tts/generate/": Instead(
        {
            "title": "Closing time",
            "text": "We close in ten minutes.",
            "language": "en-GB",
            "chime": "ding_dong",
        }
    ),
    "POST channel-playlists/": Instead(
        {
            "name": "Weekday mornings",
            "items": [{"music_file": "{music}"}, {"announcement": "{announcement}", "interval_minutes": 30}],
        }
    ),
    "POST schedules/": Instead(
        {
            "name": "Every hour on weekdays",
            "schedule_type": "interval",
            "interval_minutes": 60,
            "active_days": [1, 2, 3, 4, 5],
            "schedule_announcements": [{"announcement": "{announcement}"}],
            "floors": ["{floor}"],
        }
    ),
}
"""By line. What is the same for all (`client` for staff alone) is left out: these are client admins' requests."""

WITHOUT = {
    "GET /media/announcement/{announcement}/x": "a signed link answers with sound",
    "POST announcements/draft/": "it needs a provider that writes, which this business has not",
}
"""Lines without an example, and why."""


NAMES: tuple[tuple[Any, dict[str, str]], ...] = (
    (Device, {"name": "Till"}),
    (Announcement, {"title": "Closing time", "text": "We close in ten minutes."}),
    (MusicFile, {"name": "Morning light", "artist": "The Counters"}),
    (PlayEvent, {"device_name": "Till", "announcement_title": "Closing time", "floor_name": "Ground"}),
    (ChannelPlaylist, {"name": "Weekday mornings"}),
    (Schedule, {"name": "Every hour"}),
)


@pytest.fixture(autouse=True)
def _at_twenty_past(monkeypatch: pytest.MonkeyPatch) -> None:
    """Always the same part of an hour: what an hourly schedule has next must not come before what was just ordered."""
    real_us = clock.now_us
    begun = clock.now()
    ahead_us = (begun.replace(minute=20, second=0) - begun) // clock.MICROSECOND
    monkeypatch.setattr(clock, "now_us", lambda: real_us() + ahead_us)
    monkeypatch.setattr(clock, "now", lambda: clock.from_us(real_us() + ahead_us))


@pytest.fixture
def shop(db: None) -> Business:
    """The business of the examples."""
    return make_business("Corner Books")


@pytest.fixture
def things(world: dict[str, Any], shop: Business) -> Any:
    """What stands in the places of the requests, under names that a reader can bear."""
    with system_scope("test data"):
        for model, names in NAMES:
            model.objects.filter(client=shop.client).update(**names)
    return world["columns"]["own"]


def key_of(line: Line) -> str:
    """The line's name in the tables."""
    return f"{line.method} {line.path}"


def operation_ids() -> dict[tuple[str, str], str]:
    """The operation id of each method and route."""
    document = ScopedSchemaGenerator().get_schema(public=True)
    return {
        (method.upper(), resolve(example(path)).route): operation["operationId"]
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


IDS = operation_ids()
TRIED = [
    line
    for line in LINES
    if key_of(line) not in WITHOUT and (line.method, resolve(example(line.url)).route) in IDS
]


def id_of(line: Line) -> str:
    """The line's operation."""
    return IDS[line.method, resolve(example(line.url)).route]


def caller_of(line: Line) -> str:
    """The first caller who is allowed to."""
    answers = line.answers.replace("|", " ").split()
    allowed = [name for name in CALLERS if answers[PLACES[name]].startswith("2")]
    return INSTEAD.get(key_of(line), Instead()).caller or (allowed or ["anonymous"])[0]


def masked(value: Any) -> Any:
    """Without what is secret."""
    if isinstance(value, dict):
        return {k: "…" if k in MASKED and isinstance(v, str) else masked(v) for k, v in value.items()}
    return [masked(inner) for inner in value] if isinstance(value, list) else value


def shape(value: Any) -> Any:
    """Its members and their kinds; of a list, those of its first element."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value[:1]]
    return "number" if type(value) in (int, float) else type(value).__name__


def encoded(body: Any) -> tuple[Any, str]:
    """A body as it is sent, and its media type."""
    if body is None:
        return "", "application/json"
    files = {name: FILES[value] for name, value in body.items() if str(value) in FILES}
    if not files:
        return json.dumps(body), "application/json"
    parts = body | {name: SimpleUploadedFile(called, make()) for name, (called, make) in files.items()}
    return encode_multipart(BOUNDARY, parts), MULTIPART_CONTENT


@pytest.mark.parametrize("line", TRIED, ids=key_of)
def test_an_example_is_true(
    line: Line, world: dict[str, Any], things: Any, shop: Business, request: pytest.FixtureRequest
) -> None:
    instead = INSTEAD.get(key_of(line), Instead())
    if instead.prepare is not None:
        things.values |= instead.prepare(shop, things.values)
    body = things.fill(line.body if instead.body is None else instead.body)
    path = f"/api/{instead.path}" if instead.path else line.url
    sent, media = encoded(body)
    with transaction.atomic():
        answer = world["callers"][caller_of(line)].generic(
            line.method, path.format_map(things.values), sent, content_type=media
        )
        transaction.set_rollback(True)
    assert 200 <= answer.status_code < 300, answer.content
    found: dict[str, Any] = {"status": answer.status_code}
    if body is not None:
        found["request"] = masked(body)
        if media != "application/json":
            found["media"] = media.partition(";")[0]
    if (
        not answer.streaming
        and answer.get("Content-Type", "").startswith("application/json")
        and answer.content
    ):
        found["response"] = masked(answer.json())
    told = json.loads(RECORDED.read_text())
    if request.config.getoption("--record-examples"):
        told = {name: value for name, value in told.items() if name in IDS.values()} | {id_of(line): found}
        RECORDED.write_text(json.dumps(dict(sorted(told.items())), indent=1, ensure_ascii=False) + "\n")
    assert id_of(line) in told, "run: make examples"
    assert shape(found) == shape(told[id_of(line)]), "run: make examples, and look at what changed"


def test_every_operation_has_an_example_that_is_told() -> None:
    recorded.cache_clear()  # the tests above may just have recorded
    document = ScopedSchemaGenerator().get_schema(public=True)
    told = json.loads(RECORDED.read_text())
    assert told.keys() == {id_of(line) for line in TRIED}, "run: make examples"
    untried = {id_of(line) for line in LINES if key_of(line) in WITHOUT}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if operation["operationId"] in untried:
                continue
            where = (method, path)
            status = str(told.get(operation["operationId"], {}).get("status", ""))
            content = operation["responses"].get(status, {}).get("content", {})
            if "application/json" in content:
                assert "example" in content["application/json"], where
            if operation.get("requestBody", {}).get("required"):
                assert any("example" in kind for kind in operation["requestBody"]["content"].values()), where
    assert (
        not {line.method + " " + line.path for line in LINES}
        - {key_of(line) for line in TRIED}
        - WITHOUT.keys()
        - {f"GET {page}" for page in ("schema/", "docs/", "redoc/", "asyncapi/")}
        - {f"GET {line.path}" for line in LINES if line.path.startswith("/")}  # pages
    )
    assert INSTEAD.keys() <= {key_of(line) for line in LINES}, "stale"
