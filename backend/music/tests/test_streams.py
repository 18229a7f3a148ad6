"""A track over HTTP: by token, and by a signed link."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from common import clock, media_urls
from common.media_fields import Readiness
from common.media_urls import media_url
from common.tests.sounds import sound

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everything")]


@pytest.fixture
def music(shop, track):
    """A ready track."""
    return track(shop, name="Tea", artist="Ann")


@pytest.fixture(params=["token", "link"])
def fetch(request, music, shop, call):
    """Asks for the track in one of the two ways."""
    if request.param == "token":
        client, url = call(shop.floor_user), f"/api/music/{music.pk}/stream/"
    else:
        client, url = call(None), media_url("music", music.pk, music.sha256, now=clock.now())[0]

    def get(method="get", **headers):
        answer = getattr(client, method)(url, headers=headers)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return answer, body

    return get


def test_whole(fetch, music):
    answer, body = fetch()
    assert (answer.status_code, body) == (200, sound())
    assert answer["Content-Length"] == str(len(sound()))
    assert answer["Content-Type"] == "audio/mpeg"
    assert answer["ETag"] == f'"{music.sha256}"'
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"] == 'inline; filename="Ann - Tea.mp3"'
    assert answer["Cache-Control"].startswith("private")


@pytest.mark.parametrize(
    ("headers", "status", "part"),
    [
        ({"Range": "bytes=0-99"}, 206, slice(0, 100)),
        ({"Range": "bytes=-7"}, 206, slice(-7, None)),
        ({"Range": "bytes=100-"}, 206, slice(100, None)),
        ({"Range": "bytes=0-9,20-29"}, 200, slice(None)),
        ({"Range": "bytes=0-9", "If-Range": "ETAG"}, 206, slice(0, 10)),
        ({"Range": "bytes=0-9", "If-Range": '"old"'}, 200, slice(None)),
        ({"If-None-Match": "ETAG"}, 304, slice(0)),
        ({"Accept": "audio/webm,audio/ogg,audio/*;q=0.9"}, 200, slice(None)),
    ],
)
def test_parts_and_conditions(fetch, music, headers, status, part):
    answer, body = fetch(**{k: v.replace("ETAG", f'"{music.sha256}"') for k, v in headers.items()})
    assert (answer.status_code, body) == (status, sound()[part])


def test_head(fetch):
    answer, body = fetch("head", Range="bytes=0-9")
    assert (answer.status_code, answer["Content-Length"], body) == (200, str(len(sound())), b"")


def test_outside_the_file(fetch):
    answer, _ = fetch(Range="bytes=99999999-")
    assert answer.status_code == 416
    assert answer["Content-Range"] == f"bytes */{len(sound())}"
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "range_not_satisfiable"


def test_a_track_that_is_not_measured_yet_can_be_heard(shop, call, track):
    music = track(shop, status=Readiness.PROCESSING)
    answer = call(shop.admin).get(f"/api/music/{music.pk}/stream/")
    assert b"".join(answer.streaming_content) == sound()


def test_a_lost_file_is_404(fetch, music):
    music.file.storage.delete(music.file.name)
    answer, _ = fetch()
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (lambda url: url.replace("&s=", "&s=x"), 403, "bad_signature"),
        (lambda url: url.split("?")[0], 403, "bad_signature"),
        (lambda url: url.replace("e=", "e=9"), 403, "bad_signature"),
        (lambda url: url.replace("/music/", "/announcement/"), 403, "bad_signature"),
    ],
)
def test_bad_links(music, call, change, status, code):
    url = change(media_url("music", music.pk, music.sha256, now=clock.now())[0])
    answer = call(None).get(url)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_an_expired_link(music, call):
    url, _ = media_url("music", music.pk, music.sha256, now=clock.now() - timedelta(hours=26))
    assert call(None).get(url).json()["code"] == "bad_signature"


@pytest.mark.parametrize(("kind", "sha256"), [("music", "0" * 64), ("nothing", "0" * 64)])
def test_a_good_link_to_nothing(music, call, kind, sha256):
    answer = call(None).get(media_url(kind, music.pk, sha256, now=clock.now())[0])
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.django_db(transaction=True)
def test_a_slow_listener_holds_no_connection(music, call):
    """The database connection is given back before the first byte, not after the last."""
    answer = call(None).get(media_url("music", music.pk, music.sha256, now=clock.now())[0])
    assert connection.connection is None
    assert b"".join(answer.streaming_content) == sound()


def test_a_link_takes_no_body(music, call):
    url, _ = media_url("music", music.pk, music.sha256, now=clock.now())
    assert call(None).post(url).status_code in {403, 405}
    assert "music" in media_urls._kinds
