"""The quick way to media answers as the long one does, to the header, and leaves to it what it should."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from common import clock, media_urls
from common.environment import S3
from common.media_urls import media_url
from common.tenancy import system_scope
from conftest import make_business
from core import media_door
from core.asgi import django_application
from core.media_door import MediaDoor
from music.models import MusicFile
from testing.s3 import in_bucket

SHA256 = "ab" * 32
DATA = bytes(range(256)) * 3000

pytestmark = pytest.mark.django_db(transaction=True)


async def ask(
    app: Any, url: str, method: str = "GET", leaves_after: int | None = None, **headers: str
) -> Any:
    """Status, headers (without the moment) and body of one request; the client may leave after so many chunks."""
    parts, sent, left = urlsplit(url), [], asyncio.Event()
    given = {"host": "localhost", "x-request-id": "the-same-request"} | headers
    scope = {
        "type": "http",
        "method": method,
        "path": parts.path,
        "query_string": parts.query.encode(),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
        "scheme": "http",
    }
    first = True

    async def receive() -> dict[str, Any]:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": b"", "more_body": False}
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)
        if leaves_after is not None and len(sent) > leaves_after:
            left.set()
            await asyncio.sleep(0)

    await app(scope, receive, send)
    start, *bodies = sent
    told = {name.decode(): value.decode() for name, value in start["headers"]}
    return (
        start["status"],
        {name.lower(): value for name, value in told.items()},
        b"".join(each.get("body", b"") for each in bodies),
    )


class Watched(MediaDoor):
    """A door that counts what it hands on."""

    def __init__(self) -> None:
        self.long = 0

        async def app(*args: Any) -> None:
            self.long += 1
            await django_application(*args)

        super().__init__(app)


@pytest.fixture
def music() -> MusicFile:
    """A track in the storage in use."""
    with system_scope("test data"):
        name = default_storage.save("music/x.mp3", ContentFile(DATA))
        return MusicFile.objects.create(
            client=make_business().client, name="Tea ☕", file=name, file_size=1, duration=1, sha256=SHA256,
            mime_type="audio/mpeg",
        )  # fmt: skip


@pytest.fixture
def link(music: MusicFile) -> str:
    return media_url("music", music.pk, SHA256, now=clock.now())[0]


PLAIN: list[dict[str, str]] = [
    {},
    {"method": "HEAD"},
    {"range": "bytes=10-99"},
    {"range": "bytes=-5", "if_range": f'"{SHA256}"'},
    {"range": "bytes=0-9", "if_range": '"other"'},
    {"if_none_match": f'"{SHA256}"'},
    {"if_match": f'"{SHA256}"'},
]
REFUSED: list[dict[str, str]] = [
    {"range": "bytes=99999999-"},
    {"if_match": '"other"'},
    {"origin": "https://dashboard.example"},
    {"host": "evil.example"},
    {"method": "POST"},
]


@pytest.mark.parametrize("accelerated", ["", "/protected/"])
@pytest.mark.parametrize("headers", [*PLAIN, *REFUSED], ids=str)
async def test_answers_as_the_view_does(
    link: str, headers: dict[str, str], accelerated: str, settings: Any
) -> None:
    settings.MEDIA_ACCEL_PREFIX = accelerated
    door = Watched()
    quick, slow = await ask(door, link, **headers), await ask(django_application, link, **headers)
    for answer in (quick, slow):
        # REST framework tells what is allowed with everything; what succeeds here is not counted.
        for name in ("allow", "ratelimit", "ratelimit-policy"):
            answer[1].pop(name, None)
        answer[1]["vary"] = answer[1]["vary"].removeprefix("Accept, ")  # the view looks at none
    assert quick == slow
    assert door.long == (headers in REFUSED)


async def test_a_link_that_is_not_genuine_or_leads_nowhere(link: str, music: MusicFile) -> None:
    place, _, query = link.partition("?")
    old = media_url("music", music.pk, SHA256, now=clock.now() - timedelta(days=3))[0]
    other = media_url("music", music.pk, "cd" * 32, now=clock.now())[0]
    unknown = media_url("video", music.pk, SHA256, now=clock.now())[0]
    cases = {f"{place}?{query}x": 403, place: 403, old: 403, other: 404, unknown: 404, link: 200}
    assert {url: (await ask(Watched(), url))[0] for url in cases} == cases


async def test_a_removed_row_is_not_served_any_more(link: str, music: MusicFile) -> None:
    door = Watched()
    assert (await ask(door, link))[0] == 200
    with system_scope("test"):
        await asyncio.to_thread(music.delete)
    assert (await ask(door, link))[0] == 404


async def test_plain_http_is_not_served_where_https_is_asked_for(link: str, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    door = Watched()
    status, _, _ = await ask(door, link)
    assert (status, door.long) == (403, 1)


async def test_those_who_ask_at_once_share_a_look_up(link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    find = media_urls.find_sound
    monkeypatch.setattr(media_door, "find_sound", lambda *key: looks.append(key) or find(*key))
    door = Watched()
    answers = await asyncio.gather(*(ask(door, link) for _ in range(20)))
    assert {(status, len(body)) for status, _, body in answers} == {(200, len(DATA))}
    assert len(looks) == 1
    await ask(door, link)
    assert len(looks) == 2, "nothing is remembered beyond that"


async def test_a_client_that_leaves_is_read_to_no_further(link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []
    close = media_door.FileSpanResponse.close_file
    monkeypatch.setattr(
        media_door.FileSpanResponse, "close_file", lambda response: (closed.append(1), close(response))[1]
    )
    _, _, body = await ask(Watched(), link, leaves_after=1)
    assert 0 < len(body) < len(DATA)
    assert closed == [1]


async def test_a_bucket_s_files_take_the_long_way(
    bucket: S3, settings: Any, request: pytest.FixtureRequest
) -> None:
    settings.STORAGES = in_bucket(settings.STORAGES, bucket)
    url = await asyncio.to_thread(request.getfixturevalue, "link")
    door = Watched()
    status, headers, _ = await ask(door, url)
    assert (status, headers["location"].startswith(bucket.endpoint_url), door.long) == (302, True, 1)
