"""The door: bodies that are too large are refused before anything keeps them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from core import body_limit
from core.body_limit import MULTIPART_OVERHEAD, BodyLimit

LARGEST = 1024 * 1024
MOST = LARGEST + MULTIPART_OVERHEAD


async def ask(
    chunks: list[int], *, announced: str | None = None, answers_first: bool = False
) -> tuple[Any, list[Any], int]:
    """The status, what was sent, and how many bytes the app got to see."""
    sent: list[Any] = []
    left = list(chunks)
    seen = 0

    async def receive() -> dict[str, Any]:
        if not left:
            return {"type": "http.disconnect"}
        size = left.pop(0)
        return {"type": "http.request", "body": b"x" * size, "more_body": bool(left)}

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal seen
        if answers_first:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        more = True
        while more:
            event = await receive()
            seen += len(event["body"])
            more = event["more_body"]
        if not answers_first:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    headers = [] if announced is None else [(b"content-length", announced.encode())]
    await BodyLimit(app, largest=LARGEST)({"type": "http", "headers": headers}, receive, send)
    return sent[0]["status"], sent, seen


@pytest.mark.parametrize(
    ("chunks", "announced", "status"),
    [
        ([0], None, 200),
        ([MOST], None, 200),
        ([MOST], str(MOST), 200),
        ([MOST + 1], None, 400),
        ([MOST // 2] * 3, None, 400),
        ([5], str(MOST + 1), 400),
        ([5], "9" * 30, 400),
        ([5], "many", 200),
        ([5], "-1", 200),
    ],
)
async def test_what_is_too_large(chunks: list[int], announced: str | None, status: int) -> None:
    assert (await ask(chunks, announced=announced))[0] == status


async def test_the_refusal_is_a_problem_document_and_ends_the_connection() -> None:
    _, sent, seen = await ask([5, 5], announced=str(MOST + 1))
    assert seen == 0, "nothing was read"
    headers = dict(sent[0]["headers"])
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"connection"] == b"close"
    body = json.loads(sent[1]["body"])
    assert (body["code"], body["status"], body["detail"]) == ("too_large", 400, "A file has at most 1 MB.")
    assert int(headers[b"content-length"]) == len(sent[1]["body"])


@pytest.mark.parametrize("goes", [True, False])
async def test_a_caller_who_still_sends_can_read_the_refusal(
    goes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is whole before the rest is read, and the connection ends when the caller does, or soon after."""
    monkeypatch.setattr(body_limit, "LINGER_S", 0.05)
    told: list[str] = []

    async def receive() -> dict[str, Any]:
        told.append("read")
        if told.count("read") > 2:
            if goes:
                return {"type": "http.disconnect"}
            await asyncio.sleep(60)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(event: dict[str, Any]) -> None:
        told.append("end" if event["type"].endswith("body") and not event.get("more_body") else "told")

    headers = [(b"content-length", str(MOST + 1).encode())]
    await BodyLimit(None, largest=LARGEST)({"type": "http", "headers": headers}, receive, send)
    assert told == ["told", "told", "read", "read", "read", "end"]


async def test_an_answer_that_has_begun_is_not_begun_again() -> None:
    status, sent, _ = await ask([MOST, MOST], answers_first=True)
    assert (status, len(sent)) == (200, 2)


async def test_the_app_sees_no_more_than_the_limit() -> None:
    assert (await ask([MOST // 2] * 10))[2] <= MOST


async def test_a_full_disk_is_told_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Django spools a body to disk before any view is called."""
    sent: list[Any] = []

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        with open("/dev/full", "wb", buffering=0) as file:  # noqa: ASYNC230, PTH123  # a disk without room
            file.write(b"x")

    await BodyLimit(app, largest=LARGEST)({"type": "http", "headers": []}, receive, send)
    assert (sent[0]["status"], json.loads(sent[1]["body"])["code"]) == (507, "storage_full")
    assert "full" in caplog.text


async def test_any_other_failure_is_not_swallowed() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise PermissionError("not ours")

    with pytest.raises(PermissionError):
        await BodyLimit(app, largest=LARGEST)({"type": "http", "headers": []}, None, None)
