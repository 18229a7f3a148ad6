"""Schemathesis against the application in this process: every operation, as one caller, each request undone.

The engine makes the requests from the API's own description. `Undone` runs each through Django's WSGI handler inside a
transaction that is rolled back, so that what a request did is no part of the next one's world. Ids and references that
the engine draws at random mostly lead nowhere; `aim` replaces most of them by ones that exist, some of another tenant.
"""

from __future__ import annotations

import random
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from django.core.cache import cache
from django.core.signals import got_request_exception, request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from schemathesis import engine
from schemathesis.core.failures import Failure
from schemathesis.engine import events
from schemathesis.hooks import GLOBAL_HOOK_DISPATCHER

from common.openapi import ScopedSchemaGenerator

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "unsupported_method",
    "allow_header_conformance",
)
"""What every answer is held to, beside `no_foreign_row`."""

PLACES = {
    "id": None,
    "announcement_pk": "announcement",
    "floor_pk": "floor",
    "floor_id": "floor",
    "device_pk": "device",
    "client": "client",
    "floor": "floor",
    "floors": "floor",
    "device": "device",
    "devices": "device",
    "announcement": "announcement",
    "music_file": "music",
    "play_id": "play",
    "items": "item",
}
"""Names of ids in paths, queries and bodies, and what they are ids of; None: told by the path."""

OF_PATHS = {
    "users": "user",
    "floors": "floor",
    "devices": "device",
    "music": "music",
    "announcements": "announcement",
    "play-events": "event",
    "channel-playlists": "playlist",
    "schedules": "schedule",
    "clients": "client",
}
"""What `{id}` is the id of, by the first part of the path."""

Values = Mapping[str, Any]


@dataclass
class Found:
    """What one run came to."""

    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)
    """By operation and title of the failure: the first that was seen, with its request."""

    def report(self) -> str:
        """The failures, for whoever mends them."""
        return "\n\n".join(
            f"=== {operation}: {title}\n{text}" for (operation, title), text in self.failures.items()
        )


class Undone:
    """A WSGI application: Django's, each request in a transaction of its own that is rolled back."""

    def __init__(self) -> None:
        self.application = get_wsgi_application()
        self.statuses: Counter[int] = Counter()
        self.raised = ""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers one request."""
        cache.clear()  # what an earlier request spent of a limit is no part of this one's world
        with transaction.atomic():
            answer = self.application(environ, start_response)
            body = b"".join(answer)
            status: int = answer.status_code  # type: ignore[attr-defined]  # Django's own response
            self.statuses[status] += 1
            getattr(answer, "close", lambda: None)()
            transaction.set_rollback(True)
        return [body]

    def note(self, **kwargs: Any) -> None:
        """Remembers the traceback of what became a 500."""
        self.raised = traceback.format_exc()


def aim(case: Any, own: Values, foreign: Values) -> None:
    """Replaces most ids of a case by some that exist: mostly the caller's, at times another tenant's."""
    chance = random.Random(repr((case.path_parameters, case.query, case.body)))  # noqa: S311  # no secret

    def draw(kind: str | None, drawn: Any) -> Any:
        values = chance.choices((own, foreign, None), weights=(6, 2, 2))[0]
        return drawn if values is None or kind not in values else values[kind]

    part = case.path.split("/")[2] if case.path.startswith("/api/") else "announcement"
    of_path = OF_PATHS.get(part)
    for name in case.path_parameters or {}:
        if name in PLACES:
            case.path_parameters[name] = draw(PLACES[name] or of_path, case.path_parameters[name])
    for name in case.query or {}:
        if name in PLACES:
            case.query[name] = draw(PLACES[name], case.query[name])
    case.body = aimed(case.body, draw)


def aimed(node: Any, draw: Callable[[str | None, Any], Any], name: str = "") -> Any:
    """A body with its references drawn anew."""
    if isinstance(node, dict):
        return {key: aimed(inner, draw, key) for key, inner in node.items()}
    if isinstance(node, list):
        return [aimed(inner, draw, name) for inner in node]
    if name in PLACES and PLACES[name] and isinstance(node, int | str) and not isinstance(node, bool):
        return draw(PLACES[name], node)
    return node


def fuzz(
    *,
    token: str,
    own: Values,
    foreign: Values,
    marker: str,
    examples: int,
    coverage: bool,
    seed: int,
    operations: Sequence[str] = (),
) -> Found:
    """Every operation (or those whose id is named) as the caller with this token.

    `examples` drawn cases for each operation, and with `coverage` the engine's own table of boundary values, missing
    parts and wrong methods. `marker` must never be in an answer: it stands in every text of the other tenant.
    Empty: the caller may see that one too.
    """
    document = ScopedSchemaGenerator().get_schema(public=True)
    phases = {name: {"enabled": False} for name in ("examples", "stateful", "coverage", "fuzzing")}
    phases["coverage"]["enabled"] = coverage
    phases["fuzzing"]["enabled"] = examples > 0
    config = {
        "seed": seed,
        "workers": 1,
        "continue-on-failure": True,
        "headers": {"Authorization": f"Bearer {token}"} if token else {},
        "generation": {"mode": "all", "max-examples": max(1, examples), "no-shrink": True},
        "checks": {"enabled": False, **{name: {"enabled": True} for name in CHECKS}},
        "phases": phases,
        "warnings": False,
    }
    schema: Any = schemathesis.openapi.from_dict(document, config=schemathesis.Config.from_dict(config))
    if operations:
        schema = schema.include(operation_id=list(operations))
    application = schema.app = Undone()
    found = Found(statuses=application.statuses)
    seen: set[int] = set()

    def before_call(context: Any, case: Any, kwargs: Any) -> None:
        application.raised = ""
        aim(case, own, foreign)

    def after_call(context: Any, case: Any, response: Any) -> None:
        found.cases += 1
        label = case.operation.label
        if marker and marker.encode() in response.content:
            text = f"{case.as_curl_command()}\n{response.text}"
            found.failures.setdefault((label, "a row of another tenant"), text)
        if response.status_code >= 500:
            text = f"{case.as_curl_command()}\n{application.raised}"
            found.failures.setdefault((label, "Server error"), text)

    schemathesis.hook(before_call)
    schemathesis.hook(after_call)
    got_request_exception.connect(application.note)
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    try:
        for event in engine.from_schema(schema).execute():
            if isinstance(event, events.ScenarioFinished) and id(event.recorder) not in seen:
                seen.add(id(event.recorder))
                _gather(event.recorder, found)
            elif isinstance(event, events.NonFatalError | events.FatalError):
                found.failures.setdefault(("engine", str(event)), str(event))
    finally:
        GLOBAL_HOOK_DISPATCHER.unregister(before_call)
        GLOBAL_HOOK_DISPATCHER.unregister(after_call)
        got_request_exception.disconnect(application.note)
        request_started.connect(close_old_connections)
        request_finished.connect(close_old_connections)
    return found


def _gather(recorder: Any, found: Found) -> None:
    """The failures of one scenario."""
    for checks in recorder.checks.values():
        for check in checks:
            info = check.failure_info
            if info is None:
                continue
            failure: Failure = info.failure
            text = f"{failure.message}\n{info.code_sample}"
            found.failures.setdefault((recorder.label, failure.title), text)
