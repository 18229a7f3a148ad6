"""Log records as JSON, one object a line, with what they are about: for whoever collects logs of many processes."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from common.context import current_actor
from common.tenancy import scope_if_any

REQUESTS = "sync2gear.requests"
"""The logger that has a line for every HTTP request."""
JOBS = "sync2gear.jobs"
"""The logger that has a line for every job that a request has ordered."""
SOCKETS = "sync2gear.sockets"
"""The logger that has a line for every speaker that comes or goes."""
FOR_MACHINES = (REQUESTS, JOBS, SOCKETS)
"""What only machines that collect lines want to be told."""

NOTHING: Mapping[str, Any] = MappingProxyType({})
_about: ContextVar[Mapping[str, Any]] = ContextVar("sync2gear_about", default=NOTHING)


@contextmanager
def about(**fields: Any) -> Iterator[None]:
    """Every line of the block says these besides: `device` and `client` on a socket, `task` and `task_id` in a job."""
    token = _about.set({**_about.get(), **fields})
    try:
        yield
    finally:
        _about.reset(token)


def request_id_in_force() -> str:
    """The id of the request that is being answered, or that ordered the job which runs; empty if none did."""
    return current_actor().request_id or str(_about.get().get("request_id", ""))


ENCODER = json.JSONEncoder(default=str)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """`at` (ISO 8601 UTC, µs), `level`, `logger`, `message`, `process`; where known `request_id`, `actor`,
    `real_actor`, `client` (its key), `exception`, what the line is `about`, and whatever the caller gave as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        actor, scope = current_actor(), scope_if_any()
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
            "request_id": request_id_in_force(),
            "actor": actor.name,
            "real_actor": actor.real_name,
            "client": (scope.client_id if scope is not None else None) or actor.client_id,
            "exception": self.formatException(record.exc_info) if record.exc_info else "",
        }
        extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        return ENCODER.encode(
            {
                name: value
                for name, value in (line | {**_about.get()} | extra).items()
                if value not in ("", None)
            }
        )
