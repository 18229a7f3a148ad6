"""Ranges and conditions as RFC 9110 has them, and bytes sent a chunk at a time."""

from __future__ import annotations

import asyncio
import io
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.db.models.fields.files import FieldFile
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from common.errors import Refusal
from common.streaming import CHUNK, FileSpanResponse, Sound, Span, Verdict, decide, sound_response

ETAG = '"cafe"'
SIZE = 1000
WHOLE = (200, 0, SIZE)


def judged(method: str, headers: dict[str, str], size: int = SIZE) -> Any:
    """The verdict as a flat tuple."""
    verdict = decide(method, headers, etag=ETAG, size=size)
    return (verdict.status, verdict.span.start, verdict.span.length) if verdict.span else verdict.status


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("bytes=0-", (206, 0, 1000)),
        ("bytes=0-0", (206, 0, 1)),
        ("bytes=0-99", (206, 0, 100)),
        ("bytes=999-999", (206, 999, 1)),
        ("bytes=500-5000", (206, 500, 500)),
        ("bytes=-1", (206, 999, 1)),
        ("bytes=-1000", (206, 0, 1000)),
        ("bytes=-9999", (206, 0, 1000)),
        ("Bytes=0-9", (206, 0, 10)),
        ("bytes= 0-9 , ", (206, 0, 10)),
        ("bytes=000000000000000000000000-0000009", (206, 0, 10)),
        ("bytes=1000-", 416),
        ("bytes=1000-2000", 416),
        ("bytes=99999999999999999999999999-", 416),
        ("bytes=-0", 416),
        ("bytes=9-0", WHOLE),
        ("bytes=-", WHOLE),
        ("bytes=", WHOLE),
        ("bytes", WHOLE),
        ("bytes=a-b", WHOLE),
        ("bytes=1-2-3", WHOLE),
        ("bytes=--5", WHOLE),
        ("bytes=+1-5", WHOLE),
        ("bytes=١-٢", WHOLE),
        ("bytes=0-9,20-29", WHOLE),
        ("items=0-9", WHOLE),
        ("bytes=" + "9" * 5000 + "-", WHOLE),
        ("", WHOLE),
    ],
)
def test_ranges(value, expected):
    assert judged("GET", {"Range": value}) == expected


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("GET", {}, WHOLE),
        ("HEAD", {}, WHOLE),
        ("HEAD", {"Range": "bytes=0-9"}, WHOLE),
        ("HEAD", {"Range": "bytes=5000-"}, WHOLE),
        ("GET", {"If-Range": '"cafe"', "Range": "bytes=0-9"}, (206, 0, 10)),
        ("GET", {"If-Range": '"tea"', "Range": "bytes=0-9"}, WHOLE),
        ("GET", {"If-Range": 'W/"cafe"', "Range": "bytes=0-9"}, WHOLE),
        ("GET", {"If-Range": "Sat, 29 Oct 1994 19:43:31 GMT", "Range": "bytes=0-9"}, WHOLE),
        ("GET", {"If-Range": '"tea"', "Range": "bytes=5000-"}, WHOLE),
        ("GET", {"If-None-Match": '"cafe"'}, 304),
        ("GET", {"If-None-Match": 'W/"cafe"'}, 304),
        ("GET", {"If-None-Match": '"tea", "cafe"'}, 304),
        ("GET", {"If-None-Match": "*"}, 304),
        ("HEAD", {"If-None-Match": '"cafe"'}, 304),
        ("GET", {"If-None-Match": '"tea"'}, WHOLE),
        ("GET", {"If-None-Match": '"cafe"', "Range": "bytes=5000-"}, 304),
        ("GET", {"If-Match": '"cafe"', "Range": "bytes=0-9"}, (206, 0, 10)),
        ("GET", {"If-Match": "*"}, WHOLE),
        ("GET", {"If-Match": 'W/"cafe"'}, 412),
        ("GET", {"If-Match": '"tea"', "If-None-Match": '"cafe"'}, 412),
    ],
)
def test_conditions(method, headers, expected):
    assert judged(method, headers) == expected


def test_empty_file_has_no_range():
    assert judged("GET", {"Range": "bytes=0-"}, size=0) == 416
    assert judged("GET", {}, size=0) == (200, 0, 0)


@given(header=st.text(max_size=60) | st.from_regex(r"bytes=[0-9,\- ]{0,20}"), size=st.integers(0, 100))
def test_any_header_gives_a_span_within_the_file(header, size):
    verdict = decide("GET", {"Range": header}, etag=ETAG, size=size)
    if verdict.span is None:
        assert verdict == Verdict(416)
    else:
        assert 0 <= verdict.span.start <= verdict.span.start + verdict.span.length <= size
        assert verdict.status == 206 or verdict.span == Span(0, size)
        assert verdict.status == 200 or verdict.span.length > 0


@given(
    data=st.binary(min_size=1, max_size=50),
    first=st.integers(0, 60) | st.none(),
    last=st.integers(0, 60) | st.none(),
)
def test_a_range_is_the_slice_it_names(data, first, last):
    header = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    verdict = decide("GET", {"Range": header}, etag=ETAG, size=len(data))
    if verdict.status != 206:
        return
    assert verdict.span is not None
    got = b"".join(FileSpanResponse(io.BytesIO(data), verdict.span).streaming_content)
    assert got == (
        data[-(last or 0) :] if first is None else data[first : None if last is None else last + 1]
    )


class Watched(io.BytesIO):
    """A file that counts what was read of it."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data


async def test_reads_no_further_than_the_client_takes():
    """Django would read a plain iterator to its end before the first byte leaves."""
    file = Watched(bytes(10 * CHUNK))
    response = FileSpanResponse(file, Span(5, 9 * CHUNK))
    async with aclosing(aiter(response)) as parts:
        first = await anext(parts)
        assert (len(first), file.taken) == (CHUNK, CHUNK)
    response.close()
    assert file.closed


async def test_whole_through_asgi(tmp_path):
    """Through Django's own handler: all bytes arrive, and the client's going closes the file."""
    data = bytes(range(256)) * 4096
    path = tmp_path / "data"
    path.write_bytes(data)
    file = path.open("rb")
    sent: list[bytes] = []

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    response = FileSpanResponse(file, Span(1, len(data) - 2))
    await ASGIHandler().send_response(response, send)
    assert b"".join(sent) == data[1:-1]
    await asyncio.to_thread(response.close)
    assert file.closed


class LocalFile:
    """As much of a stored file as is served."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = str(path), path.name


def a_sound(file: Any, name: str = "Tea") -> Sound:
    """A sound whose file is `file`."""
    return Sound(file=file, sha256="cafe", mime="audio/mpeg", name=name)


@pytest.fixture
def local(tmp_path: Path) -> Sound:
    """Ten bytes."""
    path = tmp_path / "x.mp3"
    path.write_bytes(b"0123456789")
    return a_sound(LocalFile(path))


def test_headers_of_a_part(db, local):
    response = sound_response(RequestFactory().get("/", headers={"range": "bytes=2-4"}), local)
    assert response.status_code == 206
    expected = {
        "Content-Range": "bytes 2-4/10",
        "Content-Length": "3",
        "Content-Type": "audio/mpeg",
        "ETag": '"cafe"',
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": 'inline; filename="Tea.mp3"',
    }
    assert {name: response[name] for name in expected} == expected
    assert b"".join(response) == b"234"
    response.close()


def test_head_has_the_headers_and_no_body(db, local):
    response = sound_response(RequestFactory().head("/"), local)
    assert (response.status_code, response["Content-Length"], response.content) == (200, "10", b"")


def test_not_modified_has_no_length(db, local):
    response = sound_response(RequestFactory().get("/", headers={"if-none-match": '"cafe"'}), local)
    assert response.status_code == 304
    assert "Content-Length" not in response
    assert response["ETag"] == '"cafe"'


@pytest.mark.parametrize(
    ("headers", "code"),
    [({"range": "bytes=10-"}, "range_not_satisfiable"), ({"if-match": '"tea"'}, "precondition_failed")],
)
def test_refusals(db, local, headers, code):
    with pytest.raises(Refusal) as refused:
        sound_response(RequestFactory().get("/", headers=headers), local)
    assert refused.value.code == code
    if code == "range_not_satisfiable":
        assert refused.value.members["headers"]["Content-Range"] == "bytes */10"


ACCELERATED = {
    "X-Accel-Redirect": "/protected/music/7/K%C3%A4se%20%25%3F.mp3",
    "Content-Type": "audio/mpeg",
    "ETag": '"cafe"',
    "Cache-Control": "private, no-cache",
    "X-Content-Type-Options": "nosniff",
    "Content-Disposition": 'inline; filename="Tea.mp3"',
}


@pytest.fixture
def accelerated(settings) -> Sound:
    """A local sound with a proxy in front that sends it; the path has what a URI must escape."""
    settings.MEDIA_ACCEL_PREFIX = "/protected/"
    path = Path(settings.MEDIA_ROOT) / "music" / "7" / "Käse %?.mp3"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"0123456789")
    return a_sound(LocalFile(path))


@pytest.mark.parametrize("headers", [{}, {"range": "bytes=2-4"}, {"range": "bytes=2-4", "if-range": '"tea"'}])
def test_the_proxy_sends_it(accelerated, headers):
    """It takes the range itself: the status is always 200, without bytes or a length."""
    response = sound_response(RequestFactory().get("/", headers=headers), accelerated)
    assert (response.status_code, response.content) == (200, b"")
    assert {name: response[name] for name in ACCELERATED} == ACCELERATED
    assert not {"Content-Length", "Content-Range", "Accept-Ranges"} & set(response.headers)


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("head", {}, 200),
        ("get", {"if-none-match": '"cafe"'}, 304),
        ("get", {"if-match": '"cafe"', "range": "bytes=2-4"}, 206),
    ],
)
def test_what_we_answer_in_spite_of_a_proxy(db, accelerated, method, headers, status):
    request = getattr(RequestFactory(), method)("/", headers=headers)
    with closing(sound_response(request, accelerated)) as response:
        assert response.status_code == status
        assert "X-Accel-Redirect" not in response


def test_a_range_beyond_the_end_never_reaches_the_proxy(accelerated):
    with pytest.raises(Refusal, match="10 bytes"):
        sound_response(RequestFactory().get("/", headers={"range": "bytes=10-"}), accelerated)


def test_lost_and_missing_files(tmp_path):
    for file, code in ((LocalFile(tmp_path / "gone"), "not_found"), (None, "not_ready")):
        with pytest.raises(Refusal) as refused:
            sound_response(RequestFactory().get("/"), a_sound(file))
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Tea", 'inline; filename="Tea.mp3"'),
        ("../../etc/passwd", 'inline; filename="_.._etc_passwd.mp3"'),
        ('a"; filename="b', 'inline; filename="a_; filename=_b.mp3"'),
        ("a\r\nX-Evil: 1", 'inline; filename="a_X-Evil_ 1.mp3"'),
        ("Käse", "inline; filename*=utf-8''K%C3%A4se.mp3"),
        ("...", 'inline; filename="sound.mp3"'),
        ("x" * 500, f'inline; filename="{"x" * 120}.mp3"'),
    ],
)
def test_names_are_harmless(db, tmp_path, name, expected):
    path = tmp_path / "x"
    path.write_bytes(b"x")
    response = sound_response(RequestFactory().head("/"), a_sound(LocalFile(path), name))
    assert response["Content-Disposition"] == expected


def test_an_empty_field_is_not_ready():
    """What a row without a file holds is a FieldFile that is false."""
    from announcements.models import Announcement

    empty = FieldFile(Announcement(), Announcement._meta.get_field("audio_file"), "")
    with pytest.raises(Refusal, match="no sound yet"):
        sound_response(RequestFactory().get("/"), a_sound(empty))
