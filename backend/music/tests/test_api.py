"""Lists, single tracks, changes and deletion: who sees what, and what is left."""

from __future__ import annotations

import pytest

from audit.models import AuditLog
from clients.models import Client
from common.media_fields import Readiness
from common.tests.sounds import kept, sound
from music.models import MusicFile

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everything")]

URL = "/api/music/"


def names(answer):
    """The names on the page."""
    assert answer.status_code == 200, answer.data
    return [row["name"] for row in answer.data["results"]]


@pytest.fixture
def library(shop, other_shop, track):
    """Three tracks of the shop, one of the other."""
    track(other_shop, name="Theirs", artist="Ann")
    return [
        track(shop, name="Blue", artist="Ann", album="One", genre="Jazz", duration=30),
        track(shop, name="Amber", artist="Bob", album="Two", genre="Rock", duration=10),
        track(shop, name="Coral", artist="Ann Bob", genre="jazz", duration=20, status=Readiness.PROCESSING),
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Amber", "Blue", "Coral"]),
        ("?artist=ann", ["Blue"]),
        ("?album=TWO", ["Amber"]),
        ("?genre=Jazz", ["Blue", "Coral"]),
        ("?status=processing", ["Coral"]),
        ("?search=bob", ["Amber", "Coral"]),
        ("?search=one", ["Blue"]),
        ("?search=cor", ["Coral"]),
        ("?ordering=duration", ["Amber", "Coral", "Blue"]),
        ("?ordering=-created_at", ["Coral", "Amber", "Blue"]),
        ("?genre=jazz&ordering=-duration", ["Blue", "Coral"]),
        ("?page_size=1&page=2", ["Blue"]),
    ],
)
def test_lists(library, shop, call, query, expected):
    for person in (shop.admin, shop.floor_user):
        assert names(call(person).get(URL + query)) == expected


def test_staff_see_all_and_choose(library, shop, other_shop, staff, call):
    assert len(names(call(staff).get(URL))) == 4
    assert names(call(staff).get(f"{URL}?client={other_shop.client.pk}")) == ["Theirs"]
    assert names(call(shop.admin).get(f"{URL}?client={other_shop.client.pk}")) == []


@pytest.mark.parametrize("query", ["?status=nonsense", "?client=x"])
def test_bad_filters(shop, call, query):
    answer = call(shop.admin).get(URL + query)
    assert (answer.status_code, answer.data["code"]) == (400, "validation_failed")


def test_constant_number_of_queries(shop, call, track, django_assert_max_num_queries):
    track(shop)
    with django_assert_max_num_queries(20) as one:
        names(call(shop.admin).get(URL))
    for _ in range(9):
        music = MusicFile.objects.first()
        music.pk = None
        music.save()
    with django_assert_max_num_queries(len(one)) as ten:
        assert len(names(call(shop.admin).get(URL))) == 10
    assert len(ten) == len(one)


TABLE = [
    # who, method, path, status of own, status of another's
    ("anonymous", "get", "", 401, 401),
    ("anonymous", "get", "stream/", 401, 401),
    ("anonymous", "delete", "", 401, 401),
    ("floor_user", "get", "", 200, 404),
    ("floor_user", "get", "stream/", 200, 404),
    ("floor_user", "head", "stream/", 200, 404),
    ("floor_user", "patch", "", 403, 403),
    ("floor_user", "delete", "", 403, 403),
    ("admin", "get", "", 200, 404),
    ("admin", "get", "stream/", 200, 404),
    ("admin", "patch", "", 200, 404),
    ("admin", "put", "", 405, 405),
    ("admin", "delete", "", 204, 404),
    ("staff", "get", "", 200, 200),
    ("staff", "get", "stream/", 200, 200),
    ("staff", "patch", "", 200, 200),
    ("staff", "delete", "", 204, 204),
]


@pytest.mark.parametrize(("who", "method", "path", "own", "others"), TABLE)
def test_who_may(shop, other_shop, staff, call, track, who, method, path, own, others):
    person = {"anonymous": None, "staff": staff}.get(who, getattr(shop, who, None))
    for business, expected in ((shop, own), (other_shop, others)):
        music = track(business)
        body = {"name": "New"} if method in {"patch", "put"} else None
        answer = getattr(call(person), method)(f"{URL}{music.pk}/{path}", body)
        assert answer.status_code == expected
        if answer.streaming:
            assert b"".join(answer.streaming_content) == (b"" if method == "head" else sound())
        changed = method == "patch" and expected == 200
        assert MusicFile.objects.filter(pk=music.pk).exists() == (answer.status_code != 204)
        assert not changed or MusicFile.objects.get(pk=music.pk).name == "New"


def test_patch_changes_names_and_tags_only(shop, call, track):
    music = track(shop)
    before = MusicFile.objects.values().get()
    body = {
        "artist": "Me",
        "isrc": "GBAYE6800011",
        "status": "failed",
        "sha256": "0",
        "duration": 9,
        "gain_db": 9,
    }
    answer = call(shop.admin).patch(f"{URL}{music.pk}/", body)
    assert answer.status_code == 200
    assert MusicFile.objects.values().get() == before | {"artist": "Me", "isrc": "GBAYE6800011"}
    entry = AuditLog.objects.get(resource="music", action="update")
    assert '"artist": "Me"' in entry.details


@pytest.mark.parametrize("body", [{"name": ""}, {"isrc": "short"}, {"name": None}, {"genre": "x" * 101}])
def test_bad_changes(shop, call, track, body):
    answer = call(shop.admin).patch(f"{URL}{track(shop).pk}/", body)
    assert (answer.status_code, answer.data["code"]) == (400, "validation_failed")


def test_a_track_stays_with_its_business(shop, other_shop, staff, call, track):
    answer = call(staff).patch(f"{URL}{track(shop).pk}/", {"client": other_shop.client.pk})
    assert answer.status_code == 400
    assert answer.data["errors"][0]["code"] == "client_fixed"


def test_delete_removes_the_file(shop, call, commit, track, settings):
    doomed, other = track(shop), track(shop)
    with commit():
        assert call(shop.admin).delete(f"{URL}{doomed.pk}/").status_code == 204
    assert kept(settings) == [other.file.name]


def test_a_locked_business_reads_and_does_not_write(shop, call, track):
    music = track(shop)
    Client.objects.filter(pk=shop.client.pk).update(status="suspended")
    signed_in = call(shop.admin)
    assert names(signed_in.get(URL)) == [music.name]
    for answer in (
        signed_in.patch(f"{URL}{music.pk}/", {"name": "x"}),
        signed_in.delete(f"{URL}{music.pk}/"),
    ):
        assert (answer.status_code, answer.data["code"]) == (403, "client_suspended")


def test_representation(shop, call, track):
    music = track(shop, name="Tea")
    data = call(shop.admin).get(f"{URL}{music.pk}/").data
    assert data["stream_url"] == f"/api/music/{music.pk}/stream/"
    assert data["created_by_name"] == str(shop.admin)
    assert "file" not in data
    answer = call(None).get(data["audio_url"])
    assert b"".join(answer.streaming_content) == sound()
