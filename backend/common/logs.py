"""Log records as JSON, one object a line, with what they are about: for whoever collects logs of many processes."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from common.context import current_actor
from common.tenancy import scope_if_any

REQUESTS = "sync2gear.requests"
"""The logger that has a line for every HTTP request."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """`at` (ISO 8601 UTC, µs), `level`, `logger`, `message`; where known `request_id`, `actor`, `real_actor`, `client`
    (its key), `exception`, and whatever the caller gave as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        actor, scope = current_actor(), scope_if_any()
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
            "request_id": actor.request_id,
            "actor": actor.name,
            "real_actor": actor.real_name,
            "client": scope.client_id if scope is not None else None,
            "exception": self.formatException(record.exc_info) if record.exc_info else "",
        }
        extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        return json.dumps(
            {name: value for name, value in (line | extra).items() if value not in ("", None)}, default=str
        )
