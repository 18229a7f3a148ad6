"""Static files: whole, in part, unchanged, and never as a stream that ASGI cannot send."""

from __future__ import annotations

import pytest
from django.test import Client

URL = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui.css"


@pytest.fixture
def whole(client: Client, settings: object) -> bytes:
    return client.get(URL).content


@pytest.mark.parametrize(
    ("method", "headers", "status", "part"),
    [
        ("GET", {}, 200, slice(None)),
        ("HEAD", {}, 200, slice(0)),
        ("GET", {"Range": "bytes=5-9"}, 206, slice(5, 10)),
        ("GET", {"Range": "bytes=999999999-"}, 416, slice(0)),
        ("POST", {}, 405, slice(0)),
    ],
)
def test_what_is_served(
    client: Client, whole: bytes, method: str, headers: dict[str, str], status: int, part: slice
) -> None:
    response = client.generic(method, URL, headers=headers)
    assert (response.status_code, response.streaming) == (status, False)
    assert response.content == whole[part]
    if status in {200, 206}:
        assert response["Content-Type"] == 'text/css; charset="utf-8"'


def test_an_unchanged_file_is_not_sent_again(client: Client, whole: bytes) -> None:
    modified = client.get(URL)["Last-Modified"]
    response = client.get(URL, headers={"If-Modified-Since": modified})
    assert (response.status_code, response.content) == (304, b"")
    assert len(whole) > 10_000
