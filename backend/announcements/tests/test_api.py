"""Lists, single announcements, changes and deletion: who sees what, and what is left."""

from __future__ import annotations

import pytest

from announcements.models import Announcement
from audit.models import AuditLog
from clients.models import Client
from common.media_fields import Readiness
from common.tests.sounds import kept, sound, upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everything")]

URL = "/api/announcements/"
SPEECH = {"title": "New", "text": "Hello there."}


def titles(answer):
    """The titles on the page."""
    assert answer.status_code == 200, answer.data
    return [row["title"] for row in answer.data["results"]]


@pytest.fixture
def shelf(shop, other_shop, spoken):
    """Three announcements of the shop, one of the other."""
    spoken(other_shop, title="Theirs")
    return [
        spoken(shop, title="Bread", text="Fresh bread.", category="Offers", duration=30),
        spoken(shop, title="Apples", text="Red apples.", category="offers", enabled=False, duration=10),
        spoken(shop, title="Closing", type="recorded", text="", status=Readiness.FAILED, duration=20),
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Apples", "Bread", "Closing"]),
        ("?type=recorded", ["Closing"]),
        ("?status=failed", ["Closing"]),
        ("?enabled=false", ["Apples"]),
        ("?enabled=true", ["Bread", "Closing"]),
        ("?category=OFFERS", ["Apples", "Bread"]),
        ("?search=fresh", ["Bread"]),
        ("?search=clos", ["Closing"]),
        ("?ordering=duration", ["Apples", "Closing", "Bread"]),
        ("?ordering=-created_at", ["Closing", "Apples", "Bread"]),
        ("?page_size=2&page=2", ["Closing"]),
    ],
)
def test_lists(shelf, shop, call, query, expected):
    for person in (shop.admin, shop.floor_user):
        assert titles(call(person).get(URL + query)) == expected


def test_staff_see_all_and_choose(shelf, other_shop, staff, call):
    assert len(titles(call(staff).get(URL))) == 4
    assert titles(call(staff).get(f"{URL}?client={other_shop.client.pk}")) == ["Theirs"]


@pytest.mark.parametrize("query", ["?status=nonsense", "?type=song"])
def test_bad_filters(shop, call, query):
    answer = call(shop.admin).get(URL + query)
    assert (answer.status_code, answer.data["code"]) == (400, "validation_failed")


def test_constant_number_of_queries(shop, call, spoken, django_assert_max_num_queries):
    spoken(shop)
    with django_assert_max_num_queries(20) as one:
        titles(call(shop.admin).get(URL))
    for _ in range(9):
        announcement = Announcement.objects.first()
        announcement.pk = None
        announcement.save()
    with django_assert_max_num_queries(len(one)) as ten:
        assert len(titles(call(shop.admin).get(URL))) == 10
    assert len(ten) == len(one)


TABLE = [
    # who, method, path, status of own, status of another's
    ("anonymous", "get", "", 401, 401),
    ("anonymous", "get", "stream/", 401, 401),
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
def test_who_may(shop, other_shop, staff, call, spoken, who, method, path, own, others):
    person = {"anonymous": None, "staff": staff}.get(who, getattr(shop, who, None))
    for business, expected in ((shop, own), (other_shop, others)):
        announcement = spoken(business)
        body = {"title": "New"} if method in {"patch", "put"} else None
        answer = getattr(call(person), method)(f"{URL}{announcement.pk}/{path}", body)
        assert answer.status_code == expected
        if answer.streaming:
            assert b"".join(answer.streaming_content) == sound()
        changed = method == "patch" and expected == 200
        assert Announcement.objects.filter(pk=announcement.pk).exists() == (answer.status_code != 204)
        assert not changed or Announcement.objects.get(pk=announcement.pk).title == "New"


@pytest.mark.parametrize("path", ["", "tts/generate/"])
@pytest.mark.parametrize(
    ("who", "client", "allowed", "refused"),
    [
        ("anonymous", None, False, (401, "not_authenticated")),
        ("floor_user", None, False, (403, "permission_denied")),
        ("admin", None, True, None),
        ("admin", "other", False, (400, "validation_failed")),
        ("staff", None, False, (400, "validation_failed")),
        ("staff", "other", True, None),
    ],
)
def test_who_may_make_one(shop, other_shop, staff, call, path, who, client, allowed, refused):
    person = {"anonymous": None, "staff": staff}.get(who, getattr(shop, who, None))
    body = SPEECH | ({} if path else {"type": "tts"}) | ({"client": other_shop.client.pk} if client else {})
    answer = call(person).post(URL + path, body)
    if allowed:
        assert answer.status_code == (202 if path else 201)
        assert Announcement.objects.get().client == (other_shop if client else shop).client
    else:
        assert (answer.status_code, answer.data["code"]) == refused
        assert not Announcement.objects.exists()


def test_patch_touches_nothing_else(shop, call, spoken):
    announcement = spoken(shop)
    before = Announcement.objects.values().get()
    body = {
        "title": "New",
        "enabled": False,
        "status": "failed",
        "sha256": "0",
        "type": "recorded",
        "gain_db": 9,
    }
    assert call(shop.admin).patch(f"{URL}{announcement.pk}/", body).status_code == 200
    after = Announcement.objects.values().get()
    assert after.pop("updated_at") > before.pop("updated_at")
    assert after == before | {"title": "New", "enabled": False}
    entry = AuditLog.objects.get(resource="announcement", action="update")
    assert (entry.user_id, entry.client_id) == (shop.admin.pk, shop.client.pk)


def test_delete_removes_its_files(shop, call, commit, spoken, settings):
    doomed, other = spoken(shop), spoken(shop)
    with commit():
        assert call(shop.admin).delete(f"{URL}{doomed.pk}/").status_code == 204
    assert kept(settings) == [other.audio_file.name]


def test_a_locked_business_reads_and_does_not_write(shop, call, spoken, settings):
    announcement = spoken(shop)
    Client.objects.filter(pk=shop.client.pk).update(status="suspended")
    signed_in = call(shop.admin)
    assert titles(signed_in.get(URL)) == [announcement.title]
    before = kept(settings)
    form = {"title": "x", "type": "uploaded", "file": upload(sound())}
    for answer in (
        signed_in.patch(f"{URL}{announcement.pk}/", {"title": "x"}),
        signed_in.delete(f"{URL}{announcement.pk}/"),
        signed_in.post(f"{URL}tts/generate/", SPEECH),
        signed_in.post(URL, form, format="multipart"),
    ):
        assert (answer.status_code, answer.data["code"]) == (403, "client_suspended")
    assert kept(settings) == before


def test_voices_need_a_sign_in(call, db):
    assert call(None).get(f"{URL}tts/voices/").status_code == 401
