"""Log lines that machines read."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from common import jobs
from common.context import Actor, acting_as
from common.environment import ConfigurationError, read
from common.logs import JOBS, REQUESTS, JsonFormatter
from common.tenancy import scope_of_client
from core.celery import app
from testing.lines import written


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


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """All lines of the test."""
    with written() as found:
        yield found


@pytest.mark.django_db
def test_the_line_of_a_request_says_who_asked_and_for_which_business(
    lines: list[dict[str, Any]], call: Any, shop: Any, staff: Any
) -> None:
    for person, path in ((shop.admin, "/api/floors/"), (staff, "/api/floors/"), (None, "/api/floors/")):
        call(person).get(path, headers={"X-Request-ID": "request-1"})
    told = [line for line in lines if line["logger"] == REQUESTS]
    assert [(line["actor"], line.get("client"), line["status"]) for line in told] == [
        (shop.admin.username, shop.client.pk, 200),
        (staff.username, None, 200),
        ("anonymous", None, 401),
    ]
    assert {line["request_id"] for line in told} == {"request-1"}


def test_a_job_s_lines_say_which_one_it_is_and_who_ordered_it(lines: list[dict[str, Any]]) -> None:
    executor = jobs.Executor(workers=1)

    def job() -> None:
        logging.getLogger("a.job").warning("on it")
        raise LookupError("no such row")

    with acting_as(Actor(request_id="order-123")):
        executor.submit("music.prepare", job)
    executor.submit("music.prepare", lambda: None)
    executor.stop()
    on_it, failed, ended = lines
    assert {line["task"] for line in lines} == {"music.prepare"}
    assert {line["request_id"] for line in lines} == {"order-123"}
    assert len({line["task_id"] for line in lines}) == 1
    assert (on_it["message"], failed["message"]) == ("on it", "job music.prepare failed")
    assert (ended["logger"], ended["outcome"]) == (JOBS, "failed")
    assert ended["ms"] >= 0


def test_a_worker_s_lines_say_the_same(lines: list[dict[str, Any]]) -> None:
    @app.task(name="tests.job", shared=False)
    def job() -> None:
        jobs_here = logging.getLogger("a.job")
        jobs_here.warning("on it")
        raise LookupError("no such row")

    try:
        job.apply(headers={jobs.REQUEST_ID: "order-123"}, task_id="task-7")
    finally:
        app.tasks.pop("tests.job")
    assert len(lines) >= 3
    assert {(line["task"], line["task_id"], line["request_id"]) for line in lines} == {
        ("tests.job", "task-7", "order-123")
    }
    assert any("no such row" in line.get("exception", "") for line in lines)
    logging.getLogger("a.job").warning("afterwards")
    assert "task" not in lines[-1]


@pytest.mark.django_db
def test_a_request_is_a_line_without_its_query(client: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, REQUESTS):
        answer = client.get("/api/auth/me/?token=secret", headers={"X-Request-ID": "request-1"})
    (record,) = [record for record in caplog.records if record.name == REQUESTS]
    told = vars(record)
    assert (told["method"], told["path"], told["status"]) == ("GET", "/api/auth/me/", answer.status_code)
    assert told["ms"] > 0
    assert "secret" not in caplog.text
