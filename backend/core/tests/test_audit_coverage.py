"""Whatever is written through the API is on the record: every write route, called by somebody who may.

The routes and bodies are those of `test_permissions`. Each call must leave an entry of the right name, by the right
person, of the right business, from the right address, in the right request.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from rest_framework_simplejwt.tokens import RefreshToken

from audit.models import AuditLog
from common.tenancy import system_scope
from common.tests.sounds import sound
from conftest import Business
from core.tests.test_permissions import COLUMNS, LINES, Line
from users.models import User

pytestmark = pytest.mark.django_db

ADDRESS, REQUEST_ID = "10.11.12.13", "the-request-in-question"
Route = tuple[str, str]

NOTHING_TO_RECORD: dict[Route, str] = {
    ("POST", "auth/refresh/"): "goes on with a session whose login is on the record",
    ("POST", "auth/ws-ticket/"): "opens a socket that shows what the caller may read, and changes nothing",
    ("POST", "devices/pair/"): "belongs to nobody until somebody enters the code, which is on the record",
    ("POST", "schedules/preview/"): "reads: what a draft would do, which nobody has saved",
    ("POST", "devices/ticket/"): "opens the speaker's own socket and changes nothing",
}
"""Writes that leave no entry, and why that is right."""

ELSEWHERE: dict[Route, str] = {
    (
        "POST",
        "devices/pair/token/",
    ): "needs a claimed pairing: devices/tests/test_pairing_api.py",
    ("POST", "auth/invitations/accept/"): "needs the token of a mail: users/tests",
    ("POST", "auth/password-reset/confirm/"): "needs the token of a mail: users/tests",
    ("POST", "announcements/draft/"): "needs a provider that writes: announcements/tests/test_drafts.py",
    ("POST", "users/{user}/invite/"): "needs somebody who never signed in: users/tests",
}
"""Writes that the table's callers cannot make, and where they are looked at."""

NAMES: dict[Route, str] = {
    ("POST", "auth/register/"): "register",
    ("POST", "auth/login/"): "login",
    ("POST", "auth/logout/"): "logout",
    ("POST", "auth/logout-everywhere/"): "logout_everywhere",
    ("POST", "users/{user}/end-sessions/"): "logout_everywhere",
    ("POST", "auth/password-reset/"): "password_reset_requested",
    ("PUT", "auth/me/avatar/"): "update",
    ("DELETE", "auth/me/avatar/"): "update",
    ("PUT", "users/{user}/avatar/"): "update",
    ("DELETE", "users/{user}/avatar/"): "update",
    ("DELETE", "clients/{client}/"): "request_deletion",
    ("POST", "clients/{client}/confirm-deletion/"): "confirm_deletion",
    ("POST", "clients/{client}/cancel-deletion/"): "cancel_deletion",
    ("POST", "clients/{client}/extend-trial/"): "extend_trial",
    ("POST", "clients/{client}/impersonate/"): "impersonate",
    ("POST", "devices/claim/"): "claim",
    ("POST", "devices/{device}/rotate-token/"): "rotate_token",
    ("POST", "devices/{device}/revoke-token/"): "revoke_token",
    ("POST", "devices/{device}/volume/"): "volume",
    ("POST", "devices/{device}/control/"): "control",
    ("POST", "devices/{device}/test-tone/"): "test_tone",
    ("POST", "music/upload/"): "upload",
    ("POST", "announcements/"): "generate",
    ("POST", "announcements/tts/generate/"): "generate",
    ("POST", "announcements/tts/preview/"): "preview",
    ("POST", "announcements/{announcement}/play/"): "play",
    ("POST", "play-events/{event}/cancel/"): "cancel",
    ("POST", "play-events/cancel/"): "cancel",
    ("POST", "channel-playlists/{playlist}/reorder/"): "reorder",
    ("POST", "channel-playlists/{playlist}/assign-floors/"): "assign_floors",
    ("POST", "schedules/{schedule}/toggle/"): "toggle",
    ("POST", "floors/{floor}/stop/"): "create",
    ("POST", "floors/{floor}/resume/"): "update",
    ("POST", "webhooks/{webhook}/rotate-secret/"): "rotate_secret",
    ("POST", "webhooks/{webhook}/test/"): "test",
    ("POST", "webhooks/{webhook}/deliveries/{delivery}/redeliver/"): "redeliver",
    ("POST", "ai-providers/{provider}/toggle/"): "toggle",
    ("POST", "ai-providers/{provider}/test/"): "test",
    ("GET", "audit-logs/export/"): "export",
    ("GET", "music/licence-log/?month=2026-03&client={client}"): "export",
}
"""What the entry is called; others are `create`, `update` or `delete` by their method."""

BY_METHOD = {"POST": "create", "PATCH": "update", "DELETE": "delete"}

OF_NO_BUSINESS = ("ai-providers/",)
OF_WHOEVER_SIGNS_IN = ("auth/register/", "auth/login/", "auth/password-reset/")
"""Paths whose entries are not by the caller that the table names."""


def picture() -> bytes:
    """A small PNG."""
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(file, "PNG")
    return file.getvalue()


def _files() -> dict[Route, tuple[str, bytes]]:
    portrait = ("me.png", picture())
    return {
        ("POST", "music/upload/"): ("song.mp3", sound(seconds=0.3)),
        ("PUT", "auth/me/avatar/"): portrait,
        ("PUT", "users/{user}/avatar/"): portrait,
    }


def signed_out(api: Any, fill: Callable[[str], str], shop: Business) -> Any:
    """Of the caller's own session."""
    return {"refresh": str(RefreshToken.for_user(shop.admin))}


def with_a_picture(path: str) -> Callable[..., None]:
    """There has to be one to be removed."""

    def put(api: Any, fill: Callable[[str], str], shop: Business) -> None:
        file = io.BytesIO(picture())
        file.name = "me.png"
        assert api.put(fill(f"/api/{path}"), {"file": file}, format="multipart").status_code == 200

    return put


def stopped(api: Any, fill: Callable[[str], str], shop: Business) -> None:
    """A stop to be lifted."""
    assert api.post(fill("/api/floors/{floor}/stop/"), {}, format="json").status_code == 201


def on_trial(api: Any, fill: Callable[[str], str], shop: Business) -> None:
    """A trial to be extended."""
    with system_scope("test"):
        type(shop.client).objects.filter(pk=shop.client.pk).update(status="trial")


def to_be_deleted(api: Any, fill: Callable[[str], str], shop: Business) -> Any:
    """A business whose deletion was asked for, and the name that confirms it."""
    assert api.delete(fill("/api/clients/{client}/")).status_code == 202
    return {"name": shop.client.name}


def two_items(api: Any, fill: Callable[[str], str], shop: Business) -> Any:
    """Items to be put into another order."""
    items = [{"announcement": int(fill("{announcement}"))}, {"music_file": int(fill("{music}"))}]
    answer = api.patch(fill("/api/channel-playlists/{playlist}/"), {"items": items}, format="json")
    return {"items": [item["id"] for item in reversed(answer.json()["items"])]}


FIRST: dict[Route, Callable[..., Any]] = {
    ("POST", "auth/logout/"): signed_out,
    ("POST", "clients/{client}/extend-trial/"): on_trial,
    ("POST", "clients/{client}/confirm-deletion/"): to_be_deleted,
    ("POST", "clients/{client}/cancel-deletion/"): to_be_deleted,
    ("DELETE", "auth/me/avatar/"): with_a_picture("auth/me/avatar/"),
    ("DELETE", "users/{user}/avatar/"): with_a_picture("users/{user}/avatar/"),
    ("POST", "floors/{floor}/resume/"): stopped,
    ("POST", "channel-playlists/{playlist}/reorder/"): two_items,
    ("POST", "channel-playlists/{playlist}/assign-floors/"): lambda *_: {"floors": []},
    ("PATCH", "business/"): lambda *_: {"timezone": "Europe/Rome"},
}
"""What has to be there before the call; what it gives back is the body instead of the table's."""

CALLERS = ("client admin", "super admin", "floor user", "anonymous", "speaker")
WRITES = [line for line in LINES if line.method != "GET" or (line.method, line.path) in NAMES]


def route_of(line: Line) -> Route:
    return line.method, line.path


def caller_of(line: Line) -> str:
    """Who may do it: the first of CALLERS whose answer in the column of their own things is a success."""
    groups = [group.split() for group in line.answers.split("|")]
    own = {
        column[0][0]: answers[0]
        for column, answers in zip(COLUMNS, groups, strict=True)
        if column[0][1] == "own"
    }
    prepared = route_of(line) in {*FIRST, *_files()}
    refused_otherwise = {"403"} if line.path == "auth/logout/" else {"409", "415"}
    for caller in CALLERS:
        if own[caller].startswith("2") or (prepared and own[caller] in refused_otherwise):
            return caller
    raise AssertionError(f"nobody may {line.method} {line.path}: put it into ELSEWHERE with the reason")


@pytest.mark.parametrize("line", WRITES, ids=lambda line: f"{line.method} {line.path}")
def test_every_write_is_on_the_record(
    line: Line,
    world: dict[str, Any],
    shop: Business,
    staff: User,
) -> None:
    route = route_of(line)
    if route in ELSEWHERE:
        return
    caller, things = caller_of(line), world["columns"]["own"]
    api = world["callers"][caller]
    body = FIRST.get(route, lambda *_: None)(api, things.fill, shop)
    sent = {"REMOTE_ADDR": ADDRESS, "HTTP_X_REQUEST_ID": REQUEST_ID}
    url = things.fill(line.url)
    if route in _files():
        name, content = _files()[route]
        file = io.BytesIO(content)
        file.name = name
        call = getattr(api, line.method.lower())
        answer = call(url, {"file": file}, format="multipart", **sent)
    else:
        text = json.dumps(things.fill(body or line.body)) if body or line.body is not None else ""
        answer = api.generic(line.method, url, text, content_type="application/json", **sent)
    assert 200 <= answer.status_code < 300, getattr(answer, "data", answer)

    entries = list(AuditLog.everything.filter(request_id=REQUEST_ID))
    if route in NOTHING_TO_RECORD:
        assert not entries, "it is on the record: strike it from NOTHING_TO_RECORD"
        return
    wanted = NAMES.get(route) or BY_METHOD[line.method]
    named = [entry for entry in entries if entry.action == wanted]
    assert named, f"no entry {wanted!r}, only {[entry.action for entry in entries]}"
    with system_scope("test"):
        people = {"client admin": shop.admin, "super admin": staff, "floor user": shop.floor_user}
    for entry in named:
        assert entry.ip_address == ADDRESS
        if caller in people and not line.path.startswith(OF_WHOEVER_SIGNS_IN):
            assert (entry.user_id, entry.actor_name) == (people[caller].pk, people[caller].username)
            client = None if line.path.startswith(OF_NO_BUSINESS) else shop.client.pk
            if line.path == "clients/":
                continue  # of the new one
            assert entry.client_id == client
            assert entry.client_name == ("" if client is None else shop.client.name)


def test_no_exemption_is_stale() -> None:
    there = {route_of(line) for line in LINES}
    for table in (NOTHING_TO_RECORD, ELSEWHERE, NAMES, FIRST, _files()):
        assert set(table) <= there, "these lead nowhere"
    assert not NOTHING_TO_RECORD.keys() & ELSEWHERE.keys()


@pytest.mark.parametrize(
    ("path", "client_of"), [("{email}", "shop"), ("nobody@example.com", None)], ids=["known", "unknown"]
)
def test_a_sign_in_that_fails_is_on_the_record(
    world: dict[str, Any],
    shop: Business,
    path: str,
    client_of: str | None,
) -> None:
    account = world["columns"]["own"].fill(path)
    answer = world["callers"]["anonymous"].post(
        "/api/auth/login/",
        {"email": account, "password": "a wrong one entirely"},
        REMOTE_ADDR=ADDRESS,
        HTTP_X_REQUEST_ID=REQUEST_ID,
    )
    assert answer.status_code == 401
    entry = AuditLog.everything.get(request_id=REQUEST_ID)
    assert (entry.action, entry.ip_address, entry.actor_name) == ("login_failed", ADDRESS, "anonymous")
    assert entry.client_id == (shop.client.pk if client_of else None)
    assert "a wrong one entirely" not in entry.details


@pytest.mark.parametrize(
    ("proxies", "forwarded", "recorded"),
    [
        (0, "1.2.3.4", ADDRESS),
        (1, "1.2.3.4", "1.2.3.4"),
        (1, "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (2, "6.6.6.6, 1.2.3.4, 10.0.0.1", "1.2.3.4"),
    ],
)
def test_a_forwarded_address_counts_behind_our_own_proxies_only(
    world: dict[str, Any],
    shop: Business,
    settings: Any,
    proxies: int,
    forwarded: str,
    recorded: str,
) -> None:
    settings.TRUSTED_PROXIES = proxies
    world["callers"]["client admin"].patch(
        "/api/auth/me/",
        {"first_name": "Olivia"},
        REMOTE_ADDR=ADDRESS,
        HTTP_X_FORWARDED_FOR=forwarded,
        HTTP_X_REQUEST_ID=REQUEST_ID,
    )
    assert AuditLog.everything.get(request_id=REQUEST_ID).ip_address == recorded
