"""Log lines that machines read."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from common.context import Actor, acting_as
from common.environment import ConfigurationError, read
from common.logs import REQUESTS, JsonFormatter
from common.tenancy import scope_of_client


def line(message: str, *args: Any, **options: Any) -> dict[str, Any]:
    """What the formatter makes of a record."""
    record = logging.getLogger("events.sweeper").makeRecord(
        "events.sweeper", logging.WARNING, "f.py", 7, message, args, options.pop("exc_info", None), **options
    )
    text = JsonFormatter().format(record)
    assert "\n" not in text
    found: dict[str, Any] = json.loads(text)
    return found


def test_a_line_says_what_it_is_about() -> None:
    actor = Actor(user_id=7, name="olivia", real_user_id=1, real_name="staff", request_id="abcdefgh")
    with acting_as(actor), scope_of_client(12):
        found = line("%s rows\nand more", 3, extra={"device": "till-1", "ms": 4.5})
    assert found.pop("at").endswith("+00:00")
    assert found.pop("process") > 0
    assert found == {
        "level": "WARNING",
        "logger": "events.sweeper",
        "message": "3 rows\nand more",
        "request_id": "abcdefgh",
        "actor": "olivia",
        "real_actor": "staff",
        "client": 12,
        "device": "till-1",
        "ms": 4.5,
    }


def test_an_exception_stays_on_its_line_and_anything_can_be_said() -> None:
    try:
        raise ValueError("broken")
    except ValueError as error:
        found = line("it failed", exc_info=(type(error), error, error.__traceback__), extra={"odd": {1, 2}})
    assert "ValueError: broken" in found["exception"]
    assert found["odd"] == "{1, 2}"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"REDIS_URL": "redis://r"}, True),
        ({"REDIS_URL": "redis://r", "LOG_FORMAT": "plain"}, False),
        ({"LOG_FORMAT": "JSON"}, True),
    ],
)
def test_which_format(tmp_path: Any, environ: dict[str, str], expected: bool) -> None:
    assert read(environ, project_root=tmp_path).log_json is expected


def test_a_format_that_is_none(tmp_path: Any) -> None:
    with pytest.raises(ConfigurationError, match="LOG_FORMAT"):
        read({"LOG_FORMAT": "xml"}, project_root=tmp_path)


@pytest.mark.django_db
def test_a_request_is_a_line_without_its_query(client: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, REQUESTS):
        answer = client.get("/api/auth/me/?token=secret", headers={"X-Request-ID": "request-1"})
    (record,) = [record for record in caplog.records if record.name == REQUESTS]
    told = vars(record)
    assert (told["method"], told["path"], told["status"]) == ("GET", "/api/auth/me/", answer.status_code)
    assert told["ms"] > 0
    assert "secret" not in caplog.text
