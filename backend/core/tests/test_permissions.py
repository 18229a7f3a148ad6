"""Who may call what: one line for every route and method. A route without a line fails, and so does a stale line.

The columns: anonymous | floor user: own floor, another floor, another tenant | client admin: own business, another
tenant | super admin | speaker. Each caller names the thing that the column says: `{device}` and the like, in the
path and in the body, stand for that tenant's or floor's. A path that leads to another tenant's row is 404, a body
that names one 400. `-` stands where a line names nothing that could be another's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as current_settings
from django.db import transaction
from django.urls import URLPattern, get_resolver, resolve

from common.tenancy import OutsideScope, TenantManager
from conftest import PASSWORD, Business

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Line:
    """One route and method; `answers` are HTTP statuses in the order of the columns."""

    method: str
    path: str
    answers: str
    body: dict[str, Any] | None = field(default=None)

    @property
    def url(self) -> str:
        """The path from the root."""
        return self.path if self.path.startswith("/") else f"/api/{self.path}"


OPEN = "200 | 200 - - | 200 - | 200 | 200"
LINK_OF_NOBODY = "400 | 400 - - | 400 - | 400 | 400"
READ_ONE = "401 | 200 200 404 | 200 404 | 200 | 401"
READ_ON_FLOOR = "401 | 200 404 404 | 200 404 | 200 | 401"
LISTED = "401 | 200 - - | 200 - | 200 | 401"
CHANGED = "401 | 403 403 403 | 200 404 | 200 | 401"
REMOVED = "401 | 403 403 403 | 204 404 | 204 | 401"
STAFF_ONLY = "401 | 403 403 403 | 403 403 | {} | 401"
MADE = "401 | 403 403 403 | 201 400 | 201 | 401"

LINES = [
    # --- sign-in and people
    Line(
        "POST",
        "auth/register/",
        "201 | 201 - - | 201 - | 201 | 201",
        {
            "business_name": "New",
            "name": "N",
            "email": "new@example.com",
            "password": PASSWORD,
            "telephone": "1",
        },
    ),
    Line("POST", "auth/login/", OPEN, {"email": "{email}", "password": PASSWORD}),
    Line("POST", "auth/refresh/", OPEN, {"refresh": "{refresh}"}),
    Line("POST", "auth/logout/", "401 | 403 - - | 403 - | 403 | 401", {"refresh": "{refresh}"}),
    Line("GET", "auth/sessions/", LISTED),
    Line("POST", "auth/ws-ticket/", "401 | 201 - 400 | 201 400 | 201 | 401", {"client": "{client}"}),
    Line(
        "POST",
        "auth/logout-everywhere/",
        "401 | 204 - - | 204 - | 204 | 401",
        {"current_password": PASSWORD},
    ),
    Line("POST", "auth/invitations/accept/", LINK_OF_NOBODY, {"token": "{nobody}", "password": PASSWORD}),
    Line("POST", "auth/password-reset/", "202 | 202 - - | 202 - | 202 | 202", {"email": "{email}"}),
    Line("POST", "auth/password-reset/confirm/", LINK_OF_NOBODY, {"token": "{nobody}", "password": PASSWORD}),
    Line("GET", "auth/me/", LISTED),
    Line("PATCH", "auth/me/", LISTED, {"first_name": "N"}),
    Line("PUT", "auth/me/avatar/", "401 | 415 - - | 415 - | 415 | 401", {"file": "x"}),
    Line("DELETE", "auth/me/avatar/", "401 | 204 - - | 204 - | 204 | 401"),
    Line("GET", "business/", "401 | 200 - - | 200 - | 404 | 401"),
    Line("PATCH", "business/", "401 | 403 - - | 200 - | 404 | 401", {"timezone": "UTC"}),
    Line("GET", "users/", "401 | 403 - - | 200 - | 200 | 401"),
    Line(
        "POST",
        "users/",
        MADE,
        {
            "client": "{client}",
            "role": "floor_user",
            "floor": "{floor}",
            "email": "new@example.com",
            "password": PASSWORD,
        },
    ),
    Line("GET", "users/{user}/", CHANGED),
    Line("PATCH", "users/{user}/", CHANGED, {"first_name": "N"}),
    Line("DELETE", "users/{user}/", REMOVED),
    Line("PUT", "users/{user}/avatar/", "401 | 403 403 403 | 415 404 | 415 | 401", {"file": "x"}),
    Line("DELETE", "users/{user}/avatar/", REMOVED),
    Line("POST", "users/{user}/invite/", "401 | 403 403 403 | 409 404 | 409 | 401"),
    Line("POST", "users/{user}/end-sessions/", REMOVED),
    # --- businesses: sync2gear's staff alone
    Line("GET", "clients/", "401 | 403 - - | 403 - | 200 | 401"),
    Line(
        "POST",
        "clients/",
        "401 | 403 - - | 403 - | 201 | 401",
        {"business_name": "New", "email": "new-business@example.com", "telephone": "1"},
    ),
    Line("GET", "clients/{client}/", STAFF_ONLY.format(200)),
    Line("PATCH", "clients/{client}/", STAFF_ONLY.format(200), {"status": "suspended"}),
    Line("DELETE", "clients/{client}/", STAFF_ONLY.format(202)),
    Line("POST", "clients/{client}/extend-trial/", STAFF_ONLY.format(409), {"days": 7}),
    Line("POST", "clients/{client}/confirm-deletion/", STAFF_ONLY.format(409), {"name": "N"}),
    Line("POST", "clients/{client}/impersonate/", STAFF_ONLY.format(200), {"reason": "a ticket"}),
    Line("POST", "clients/{client}/cancel-deletion/", STAFF_ONLY.format(409)),
    # --- floors
    Line("GET", "floors/", LISTED),
    Line("POST", "floors/", MADE, {"client": "{client}", "name": "New"}),
    Line("GET", "floors/{floor}/", READ_ON_FLOOR),
    Line("PATCH", "floors/{floor}/", CHANGED, {"name": "N"}),
    Line("DELETE", "floors/{floor}/", REMOVED),
    Line("GET", "floors/{floor}/devices/", READ_ON_FLOOR),
    Line("GET", "floors/{floor}/timeline/", READ_ON_FLOOR),
    # --- devices
    Line("POST", "devices/pair/", "201 | 201 - - | 201 - | 201 | 201", {"hardware_id": "hw-new"}),
    Line("POST", "devices/pair/token/", "400 | 400 - - | 400 - | 400 | 400", {"device_code": "{nobody}"}),
    Line("GET", "devices/self/", "401 | 401 - - | 401 - | 401 | 200"),
    Line("POST", "devices/ticket/", "401 | 401 - - | 401 - | 401 | 201"),
    Line("GET", "devices/{device}/plan/", "401 | 200 404 404 | 200 404 | 200 | 200"),
    Line("GET", "devices/", LISTED),
    Line("GET", "devices/uptime/?from=2026-01-01T00:00:00Z&to=2026-01-03T00:00:00Z", LISTED),
    Line("GET", "devices/{device}/outages/", READ_ON_FLOOR),
    Line("POST", "devices/", MADE, {"client": "{client}", "floor": "{floor}", "name": "New"}),
    Line("POST", "devices/claim/", MADE, {"user_code": "{code}", "floor": "{floor}", "name": "New"}),
    Line("GET", "devices/{device}/", READ_ON_FLOOR),
    Line("PATCH", "devices/{device}/", CHANGED, {"name": "N"}),
    Line("DELETE", "devices/{device}/", REMOVED),
    Line("POST", "devices/{device}/rotate-token/", CHANGED),
    Line("POST", "devices/{device}/revoke-token/", CHANGED),
    Line("POST", "devices/{device}/volume/", READ_ON_FLOOR, {"volume": 5}),
    Line("POST", "devices/{device}/control/", "401 | 202 404 404 | 202 404 | 202 | 401", {"action": "next"}),
    Line("POST", "devices/{device}/test-tone/", "401 | 202 404 404 | 202 404 | 202 | 401", {}),
    Line("GET", "devices/{device}/status/", READ_ON_FLOOR),
    # --- music
    Line("GET", "music/", LISTED),
    Line("POST", "music/upload/", "401 | 403 403 403 | 415 415 | 415 | 401", {"client": "{client}"}),
    Line("GET", "music/{music}/", READ_ONE),
    Line("PATCH", "music/{music}/", CHANGED, {"name": "N"}),
    Line("DELETE", "music/{music}/", REMOVED),
    Line("GET", "music/{music}/stream/", READ_ONE),
    Line("GET", "/media/announcement/{announcement}/x", "403 | 403 403 403 | 403 403 | 403 | 403"),
    # --- announcements
    Line("GET", "announcements/", LISTED),
    Line(
        "POST",
        "announcements/",
        MADE,
        {"client": "{client}", "title": "New", "type": "tts", "text": "Good morning"},
    ),
    Line(
        "POST",
        "announcements/tts/generate/",
        "401 | 403 403 403 | 202 400 | 202 | 401",
        {"client": "{client}", "title": "New", "text": "Good morning"},
    ),
    Line("GET", "announcements/tts/voices/", LISTED),
    Line(
        "POST",
        "announcements/tts/preview/",
        "401 | 403 403 403 | 200 400 | 200 | 401",
        {"client": "{client}", "text": "Tea"},
    ),
    Line(
        "POST",
        "announcements/draft/",
        "401 | 403 403 403 | 409 400 | 409 | 401",
        {"client": "{client}", "purpose": "Tea"},
    ),
    Line("GET", "announcements/{announcement}/", READ_ONE),
    Line("PATCH", "announcements/{announcement}/", CHANGED, {"title": "N"}),
    Line("DELETE", "announcements/{announcement}/", REMOVED),
    Line("GET", "announcements/{announcement}/stream/", READ_ONE),
    Line(
        "POST",
        "announcements/{announcement}/play/",
        "401 | 202 400 404 | 202 404 | 202 | 401",
        {"devices": ["{device}"], "floors": ["{floor}"]},
    ),
    # --- plays
    Line("GET", "play-events/", LISTED),
    Line("GET", "play-events/{event}/", READ_ON_FLOOR),
    Line("GET", "play-events/summary/?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z", LISTED),
    Line("POST", "play-events/{event}/cancel/", READ_ON_FLOOR),
    Line("POST", "play-events/cancel/", READ_ON_FLOOR, {"play_id": "{play}"}),
    # --- playlists
    Line("GET", "channel-playlists/", LISTED),
    Line("POST", "channel-playlists/", MADE, {"client": "{client}", "name": "New"}),
    Line("GET", "channel-playlists/{playlist}/", READ_ON_FLOOR),
    Line("PATCH", "channel-playlists/{playlist}/", CHANGED, {"name": "N"}),
    Line("DELETE", "channel-playlists/{playlist}/", REMOVED),
    Line("POST", "channel-playlists/{playlist}/reorder/", CHANGED, {"items": []}),
    Line("POST", "channel-playlists/{playlist}/assign-floors/", CHANGED, {"floors": ["{floor}"]}),
    Line(
        "GET", "music/licence-log/?month=2026-03&client={client}", "401 | 403 403 403 | 200 400 | 200 | 401"
    ),
    # --- schedules
    Line("GET", "schedules/", LISTED),
    Line(
        "POST",
        "schedules/",
        MADE,
        {
            "client": "{client}",
            "name": "New",
            "schedule_type": "interval",
            "interval_minutes": 60,
            "schedule_announcements": [{"announcement": "{announcement}"}],
            "floors": ["{floor}"],
        },
    ),
    Line("GET", "schedules/{schedule}/", READ_ON_FLOOR),
    Line("PATCH", "schedules/{schedule}/", CHANGED, {"name": "N"}),
    Line("DELETE", "schedules/{schedule}/", REMOVED),
    Line("POST", "schedules/{schedule}/toggle/", CHANGED),
    Line("GET", "schedules/{schedule}/occurrences/", READ_ON_FLOOR),
    Line("GET", "schedules/next/", LISTED),
    Line(
        "POST",
        "schedules/preview/",
        "401 | 403 403 403 | 200 400 | 200 | 401",
        {
            "client": "{client}",
            "schedule_type": "interval",
            "interval_minutes": 60,
            "schedule_announcements": [{"announcement": "{announcement}"}],
            "floors": ["{floor}"],
        },
    ),
    Line("POST", "floors/{floor}/stop/", "401 | 201 404 404 | 201 404 | 201 | 401", {}),
    Line("POST", "floors/{floor}/resume/", READ_ON_FLOOR),
    # --- webhooks
    Line("GET", "webhooks/", "401 | 403 - - | 200 - | 200 | 401"),
    Line(
        "POST",
        "webhooks/",
        MADE,
        {"client": "{client}", "url": "https://8.8.8.8/hook", "events": ["device.offline"]},
    ),
    Line("GET", "webhooks/{webhook}/", CHANGED),
    Line("PATCH", "webhooks/{webhook}/", CHANGED, {"description": "N"}),
    Line("DELETE", "webhooks/{webhook}/", REMOVED),
    Line("POST", "webhooks/{webhook}/rotate-secret/", CHANGED),
    Line("POST", "webhooks/{webhook}/test/", CHANGED),
    Line("GET", "webhooks/{webhook}/deliveries/", CHANGED),
    Line(
        "POST",
        "webhooks/{webhook}/deliveries/{delivery}/redeliver/",
        "401 | 403 403 403 | 202 404 | 202 | 401",
    ),
    # --- AI providers
    Line("GET", "ai-providers/", "401 | 403 - - | 403 - | 200 | 401"),
    Line(
        "POST",
        "ai-providers/",
        "401 | 403 - - | 403 - | 201 | 401",
        {"name": "N", "provider": "openai", "api_key": "k"},
    ),
    Line("GET", "ai-providers/{provider}/", "401 | 403 - - | 403 - | 200 | 401"),
    Line("PATCH", "ai-providers/{provider}/", "401 | 403 - - | 403 - | 200 | 401", {"name": "N"}),
    Line("DELETE", "ai-providers/{provider}/", "401 | 403 - - | 403 - | 204 | 401"),
    Line("POST", "ai-providers/{provider}/toggle/", "401 | 403 - - | 403 - | 200 | 401"),
    Line("POST", "ai-providers/{provider}/test/", "401 | 403 - - | 403 - | 200 | 401", {}),
    Line("GET", "ai-providers/{provider}/usage/", "401 | 403 - - | 403 - | 200 | 401"),
    # --- the audit trail
    Line("GET", "audit-logs/", "401 | 403 - - | 200 - | 200 | 401"),
    Line("GET", "audit-logs/{entry}/", CHANGED),
    Line("GET", "audit-logs/export/", "401 | 403 - - | 200 - | 200 | 401"),
    # --- the API's own description
    Line("GET", "schema/", "200 | 200 - - | 200 - | 200 | 401"),
    Line("GET", "docs/", "200 | 200 - - | 200 - | 200 | 401"),
    Line("GET", "redoc/", "200 | 200 - - | 200 - | 200 | 401"),
    Line("GET", "asyncapi/", "200 | 200 - - | 200 - | 200 | 200"),
    # --- pages: the same for everybody, and of nobody
    Line("GET", "/", OPEN),
    Line("GET", "/floors/1", OPEN),
    Line("GET", "/favicon.ico", "302 | 302 - - | 302 - | 302 | 302"),
    Line("GET", "/speaker/", OPEN),
    Line("GET", "/speaker/sw.js", OPEN),
    Line("GET", "/speaker/manifest.webmanifest", OPEN),
]

BODIES = [
    *(
        Line("PATCH", "schedules/{own_schedule}/", "401 | 403 403 403 | 200 400 | 200 | 401", body)
        for body in (
            {"floors": ["{floor}"]},
            {"devices": ["{device}"]},
            {"schedule_announcements": [{"announcement": "{announcement}"}]},
        )
    ),
    # --- one's own row, another tenant's reference: 400, whatever the field is called
    Line("PATCH", "devices/{own_device}/", "401 | 403 403 403 | 200 400 | 200 | 401", {"floor": "{floor}"}),
    Line("PATCH", "users/{own_user}/", "401 | 403 403 403 | 200 400 | 200 | 401", {"floor": "{floor}"}),
    Line(
        "POST",
        "announcements/{own_announcement}/play/",
        "401 | 202 400 400 | 202 400 | 202 | 401",
        {"devices": ["{device}"]},
    ),
    Line(
        "POST",
        "announcements/{own_announcement}/play/",
        "401 | 202 400 400 | 202 400 | 202 | 401",
        {"floors": ["{floor}"]},
    ),
    Line(
        "POST",
        "channel-playlists/{own_playlist}/assign-floors/",
        "401 | 403 403 403 | 200 400 | 200 | 401",
        {"floors": ["{floor}"]},
    ),
    Line(
        "POST",
        "channel-playlists/",
        MADE,
        {"client": "{own_client}", "name": "N", "items": [{"announcement": "{announcement}"}]},
    ),
    Line(
        "POST",
        "channel-playlists/",
        MADE,
        {"client": "{own_client}", "name": "N", "items": [{"music_file": "{music}"}]},
    ),
]

UNLISTED = {"admin/": "Django's own admin, for super admins: it has its own sign-in and is no API"}
"""What the walk leaves out, and why."""


def routes(patterns: Any = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every route of the project."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern).removeprefix("^")
        if route in UNLISTED:
            continue
        if isinstance(pattern, URLPattern):
            yield route, pattern
        else:
            yield from routes(pattern.url_patterns, route)


def methods(pattern: URLPattern) -> set[str]:
    """The methods that a route offers, HEAD and OPTIONS aside."""
    view: Any = pattern.callback
    offered = getattr(view, "actions", None) or {
        name
        for name in ("get", "post", "put", "patch", "delete")
        if hasattr(getattr(view, "cls", None) or view.view_class, name)
    }
    return {name.upper() for name in offered} - {"HEAD", "OPTIONS"}


def test_every_route_and_method_has_a_line_and_every_line_a_route() -> None:
    there = {(method, route) for route, pattern in routes() for method in methods(pattern)}
    written = {(line.method, resolve(example(line.url)).route) for line in LINES}
    assert there - written == set(), "these have no line in LINES: say who may call them"
    assert written - there == set(), "these lines lead nowhere"
    assert len(LINES) == len(written), "a line stands twice"


def example(url: str) -> str:
    """The path with something in its places."""
    return re.sub(r"\{\w+\}", "1", url).partition("?")[0]


COLUMNS = [
    [("anonymous", "own")],
    [("floor user", "own"), ("floor user", "floor"), ("floor user", "tenant")],
    [("client admin", "own"), ("client admin", "tenant")],
    [("super admin", "own")],
    [("speaker", "own")],
]


ONE_TEXT_FOR_ALL = frozenset({"schema/"})
"""The API's description is the same for every caller; its examples hold the names that tests give to their things."""


def ask(world: dict[str, Any], line: Line, caller: str, whose: str) -> str:
    """The status that this caller gets; whatever it did is undone."""
    things = world["columns"][whose]
    url = line.url.format_map(things.values)
    with transaction.atomic():
        answer = world["callers"][caller].generic(
            line.method,
            url,
            json.dumps(things.fill(line.body)) if line.body is not None else "",
            content_type="application/json",
        )
        transaction.set_rollback(True)
    if answer.streaming or line.path in ONE_TEXT_FOR_ALL:
        return str(answer.status_code)
    if caller in ("anonymous", "floor user", "client admin", "speaker"):
        for secret in world["columns"]["tenant"].secrets:
            assert secret not in answer.content.decode(), f"{caller} was sent something of another tenant"
    if caller == "floor user" and whose == "own" and line.method == "GET":
        for secret in world["columns"]["floor"].secrets[:1]:
            seen_by_all = line.path.startswith(("announcements/", "music/"))
            assert seen_by_all or secret not in answer.content.decode(), "something of another floor"
    return str(answer.status_code)


@pytest.mark.once("embedded")
@pytest.mark.parametrize("line", [*LINES, *BODIES], ids=lambda line: f"{line.method} {line.path}")
def test_who_may(world: dict[str, Any], line: Line) -> None:
    expected = [group.split() for group in line.answers.split("|")]
    assert [len(group) for group in expected] == [len(group) for group in COLUMNS]
    got = [
        [
            "-" if wanted == "-" else ask(world, line, *column)
            for wanted, column in zip(wanted_group, group, strict=True)
        ]
        for wanted_group, group in zip(expected, COLUMNS, strict=True)
    ]
    assert " | ".join(" ".join(group) for group in got) == line.answers


# --- every table of ours is somebody's -------------------------------------------------------------------

OURS = [
    model for model in apps.get_models() if (Path(current_settings.BASE_DIR) / model._meta.app_label).is_dir()
]

WITHOUT_A_TENANT = {
    "common.IdempotencyRecord": "holds a caller's own answers, and is found by caller and key only",
    "ai_config.AIProvider": "sync2gear's own accounts, which no tenant reaches by any route",
    "ai_config.AIReservation": "calls under way at sync2gear's own accounts",
    "ai_config.AIUsage": "sync2gear's own books, which no tenant reaches by any route",
    "devices.ListeningSpan": "when the server listened, which is the same for all",
    "devices.DevicePairing": "belongs to nobody until it is claimed; found by its secret or its code only",
    "users.UserSession": "one's own sign-ins, always found by their person",
    "users.OutgoingMail": "the outbox, which only the job that sends mails looks into",
    "audit.AuditChain": "numbers and hashes alone, which no tenant reaches by any route",
    "events.PlayEventChange": "read only through its event, which is scoped",
}
"""Tables of ours that are not narrowed to a scope, and why that is right."""


def is_scoped(model: Any) -> bool:
    """Whether the model's `objects` narrows to the scope in force."""
    return isinstance(model._meta.managers_map.get("objects"), TenantManager)


def test_every_table_is_scoped_or_says_why_not() -> None:
    unscoped = {model._meta.label for model in OURS if not is_scoped(model)}
    assert unscoped - WITHOUT_A_TENANT.keys() == set(), "give it a TenantManager, or a reason"
    assert WITHOUT_A_TENANT.keys() - unscoped == set(), "stale: these are scoped, or gone"


@pytest.mark.parametrize(
    "model", [model for model in OURS if is_scoped(model)], ids=lambda model: model._meta.label
)
def test_outside_of_a_scope_nothing_is_shown(model: Any) -> None:
    for look in (
        lambda: model.objects.all(),
        lambda: model.objects.filter(pk=1),
        lambda: model.objects.count(),
        lambda: model.objects.update(pk=1),
    ):
        with pytest.raises(OutsideScope):
            look()


def test_a_relation_is_scoped_too(shop: Business) -> None:
    with pytest.raises(OutsideScope):
        list(shop.client.floors.all())
