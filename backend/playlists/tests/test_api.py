"""`/api/channel-playlists/` as people use it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import AuditLog
from common.tenancy import system_scope
from playlists.models import ChannelPlaylist, ChannelPlaylistItem, FloorProgramme
from playlists.tests.support import tracks, words

URL = "/api/channel-playlists/"


@pytest.fixture
def admin(shop: Any, call: Any) -> Any:
    """The client admin's API client."""
    return call(shop.admin)


def refusals(response: Any) -> set[tuple[str, str]]:
    """(field, code) of a 400."""
    assert response.status_code == 400, response.content
    return {(error["field"], error["code"]) for error in response.json()["errors"]}


def music(*rows: Any, **more: Any) -> list[dict[str, Any]]:
    """Items of these tracks."""
    return [{"music_file": row.pk} | more for row in rows]


def make(admin: Any, items: list[dict[str, Any]] | None = None, **fields: Any) -> Any:
    """A playlist by the API; answers its representation."""
    response = admin.post(URL, {"name": "Morning"} | fields | ({} if items is None else {"items": items}))
    assert response.status_code == 201, response.content
    return response.json()


# --- writing ---------------------------------------------------------------------------------------------


def test_a_playlist_with_its_items(shop: Any, admin: Any) -> None:
    first, second = tracks(shop.client, 2, seconds=200)
    spoken = words(shop.client)
    made = make(
        admin,
        [
            *music(second),
            {"item_type": "announcement", "announcement": spoken.pk, "interval_minutes": 30},
            *music(first, interval_minutes=60),
        ],
        description="calm",
        quiet_hours_start="22:00",
        quiet_hours_end="06:00",
    )
    assert [(item["item_type"], item["music_file"], item["announcement"]) for item in made["items"]] == [
        ("music", second.pk, None),
        ("announcement", None, spoken.pk),
        ("music", first.pk, None),
    ]
    assert [item["interval_minutes"] for item in made["items"]] == [None, 30, 60]
    assert [item["order"] for item in made["items"]] == [0, 1, 2]
    assert made["items"][0] | {"id": 0} == {
        "id": 0,
        "item_type": "music",
        "music_file": second.pk,
        "announcement": None,
        "interval_minutes": None,
        "order": 0,
        "title": second.name,
        "artist": "The Band",
        "duration_ms": 200_000,
        "playable": True,
        "why_not": "",
    }
    assert (made["items_count"], made["music_count"], made["announcement_count"]) == (3, 2, 1)
    assert made["music_duration"] == 400
    assert (made["default_music_interval"], made["default_announcement_interval"]) == (5, 15)
    assert (made["shuffle_music"], made["shuffle_announcements"], made["enabled"]) == (True, False, True)
    assert made["floors"] == []
    assert made["client"] == shop.client.pk
    assert made["created_by"] == shop.admin.pk
    assert admin.get(f"{URL}{made['id']}/").json() == made


def test_order_may_be_said(shop: Any, admin: Any) -> None:
    first, second, third = tracks(shop.client, 3)
    given = [
        {"music_file": first.pk, "order": 20},
        {"music_file": second.pk, "order": 3},
        {"music_file": third.pk, "order": 7},
    ]
    made = make(admin, given)
    assert [(item["music_file"], item["order"]) for item in made["items"]] == [
        (second.pk, 0),
        (third.pk, 1),
        (first.pk, 2),
    ]


def test_a_new_list_keeps_what_stays(shop: Any, admin: Any) -> None:
    first, second, third = tracks(shop.client, 3)
    made = make(admin, music(first, second))
    kept = made["items"][1]["id"]
    changed = admin.patch(f"{URL}{made['id']}/", {"items": music(third) + music(second, interval_minutes=9)})
    assert changed.status_code == 200, changed.content
    items = changed.json()["items"]
    assert [item["music_file"] for item in items] == [third.pk, second.pk]
    assert items[1]["id"] == kept
    assert items[1]["interval_minutes"] == 9
    assert items[0]["id"] not in {item["id"] for item in made["items"]}
    untouched = admin.patch(f"{URL}{made['id']}/", {"name": "Evening"}).json()
    assert untouched["items"] == items
    assert admin.patch(f"{URL}{made['id']}/", {"items": []}).json()["items"] == []


def test_reorder(shop: Any, admin: Any) -> None:
    made = make(admin, music(*tracks(shop.client, 3)))
    ids = [item["id"] for item in made["items"]]
    turned = admin.post(f"{URL}{made['id']}/reorder/", {"items": ids[::-1]})
    assert [(item["id"], item["order"]) for item in turned.json()["items"]] == [
        (ids[2], 0),
        (ids[1], 1),
        (ids[0], 2),
    ]
    assert turned.json()["updated_at"] > made["updated_at"]


@pytest.mark.parametrize(
    "wrong", [lambda ids: ids[:2], lambda ids: [*ids, ids[0]], lambda ids: [*ids[:2], 10**9]]
)
def test_reorder_names_every_item_once(shop: Any, admin: Any, wrong: Any) -> None:
    made = make(admin, music(*tracks(shop.client, 3)))
    ids = [item["id"] for item in made["items"]]
    refused = admin.post(f"{URL}{made['id']}/reorder/", {"items": wrong(ids)})
    assert refusals(refused) == {("items", "not_the_items")}
    assert [item["id"] for item in admin.get(f"{URL}{made['id']}/").json()["items"]] == ids


def test_assign_floors_says_the_whole(shop: Any, admin: Any) -> None:
    ground, upper = shop.floors
    made = make(admin)
    assign = f"{URL}{made['id']}/assign-floors/"
    first = admin.post(assign, {"floors": [upper.pk, {"floor": ground.pk, "priority": 5}]})
    assert first.status_code == 200, first.content
    assert first.json()["floors"] == [
        {"id": ground.pk, "name": "Ground", "priority": 5},
        {"id": upper.pk, "name": "Upper", "priority": 0},
    ]
    second = admin.post(assign, {"floors": [{"floor": upper.pk, "priority": -1}]})
    assert second.json()["floors"] == [{"id": upper.pk, "name": "Upper", "priority": -1}]
    assert admin.post(assign, {"floors": []}).json()["floors"] == []


def test_deleting_a_playlist_deletes_its_items_and_no_sound(shop: Any, admin: Any) -> None:
    (track,) = tracks(shop.client, 1)
    made = make(admin, music(track))
    assert admin.delete(f"{URL}{made['id']}/").status_code == 204
    with system_scope("test"):
        assert not ChannelPlaylistItem.objects.exists()
        track.refresh_from_db()


def test_a_repeated_post_makes_one_playlist(shop: Any, admin: Any) -> None:
    body = {"name": "Once", "items": music(*tracks(shop.client, 1))}
    answers = [admin.post(URL, body, HTTP_IDEMPOTENCY_KEY="k1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    with system_scope("test"):
        assert ChannelPlaylist.objects.count() == 1


def test_staff_name_the_client(shop: Any, staff: Any, call: Any) -> None:
    refused = call(staff).post(URL, {"name": "x"})
    assert refusals(refused) == {("client", "required")}
    made = call(staff).post(
        URL, {"name": "x", "client": shop.client.pk, "items": music(*tracks(shop.client, 1))}
    )
    assert made.status_code == 201, made.content


# --- refusals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"name": ""}, ("name", "blank")),
        ({"default_music_interval": -1}, ("default_music_interval", "min_value")),
        ({"default_announcement_interval": 0}, ("default_announcement_interval", "min_value")),
        ({"default_announcement_interval": 1441}, ("default_announcement_interval", "max_value")),
        ({"quiet_hours_start": "22:00"}, ("quiet_hours_end", "quiet_hours")),
        ({"quiet_hours_end": "22:00"}, ("quiet_hours_start", "quiet_hours")),
        ({"quiet_hours_start": "22:00", "quiet_hours_end": "22:00"}, ("quiet_hours_end", "quiet_hours")),
        ({"quiet_hours_start": "25:00", "quiet_hours_end": "22:00"}, ("quiet_hours_start", "invalid")),
        ({"items": "all"}, ("items", "not_a_list")),
        ({"items": [{}]}, ("items.0", "one_reference")),
        ({"items": [7]}, ("items.0", "invalid")),
        ({"items": [{"music_file": 10**9}]}, ("items.0.music_file", "does_not_exist")),
        ({"items": [{"music_file": "seven"}]}, ("items.0.music_file", "incorrect_type")),
        ({"items": [{"music_file": True}]}, ("items.0.music_file", "incorrect_type")),
        ({"items": [{"music_file": 1}] * 1001}, ("items", "max_length")),
    ],
)
def test_what_cannot_be(shop: Any, admin: Any, fields: dict[str, Any], expected: tuple[str, str]) -> None:
    refused = admin.post(URL, {"name": "Morning"} | fields)
    assert expected in refusals(refused)
    with system_scope("test"):
        assert not ChannelPlaylist.objects.exists()


def test_what_an_item_cannot_be(shop: Any, admin: Any, other_shop: Any) -> None:
    (track,) = tracks(shop.client, 1)
    (failed,) = tracks(shop.client, 1, status="failed", failure_detail="It is a picture.")
    (foreign,) = tracks(other_shop.client, 1)
    spoken = words(shop.client)
    cases: list[tuple[list[dict[str, Any]], tuple[str, str]]] = [
        (music(track, track), ("items.1", "duplicate")),
        ([{"music_file": track.pk, "announcement": spoken.pk}], ("items.0", "one_reference")),
        ([{"music_file": track.pk, "item_type": "announcement"}], ("items.0.item_type", "other_type")),
        ([{"music_file": track.pk, "item_type": "jingle"}], ("items.0.item_type", "invalid_choice")),
        (music(track, interval_minutes=0), ("items.0.interval_minutes", "min_value")),
        (music(track, interval_minutes=1441), ("items.0.interval_minutes", "max_value")),
        (music(track, failed), ("items.1", "not_ready")),
        (music(track, foreign), ("items.1.music_file", "does_not_exist")),
        ([{"announcement": words(other_shop.client).pk}], ("items.0.announcement", "does_not_exist")),
    ]
    for items, expected in cases:
        assert refusals(admin.post(URL, {"name": "x", "items": items})) == {expected}
    made = make(admin, music(track))
    for items, expected in cases:
        assert refusals(admin.patch(f"{URL}{made['id']}/", {"items": items})) == {expected}
    assert admin.get(f"{URL}{made['id']}/").json() == made


def test_staff_cannot_mix_two_businesses(shop: Any, other_shop: Any, staff: Any, call: Any) -> None:
    items = music(*tracks(shop.client, 1), *tracks(other_shop.client, 1))
    refused = call(staff).post(URL, {"name": "x", "client": shop.client.pk, "items": items})
    assert refusals(refused) == {("items.1.music_file", "other_client")}
    made = call(staff).post(URL, {"name": "x", "client": shop.client.pk}).json()
    for floors in ([other_shop.floors[0].pk], [{"floor": other_shop.floors[0].pk}]):
        refused = call(staff).post(f"{URL}{made['id']}/assign-floors/", {"floors": floors})
        assert refusals(refused) == {("floors.0.floor", "other_client")}


def test_floors_that_cannot_be(shop: Any, admin: Any, other_shop: Any) -> None:
    made = make(admin)
    here, foreign = shop.floors[0].pk, other_shop.floors[0].pk
    cases: list[tuple[Any, tuple[str, str]]] = [
        ([here, foreign], ("floors.1.floor", "does_not_exist")),
        ([here, here], ("floors", "duplicate")),
        ([{"floor": here, "priority": 1001}], ("floors.0.priority", "max_value")),
        ([{"priority": 1}], ("floors.0.floor", "required")),
        (["here"], ("floors.0.floor", "incorrect_type")),
        (None, ("floors", "null")),
    ]
    for floors, expected in cases:
        response = admin.post(f"{URL}{made['id']}/assign-floors/", {"floors": floors})
        assert refusals(response) == {expected}
    assert refusals(admin.post(f"{URL}{made['id']}/assign-floors/", {})) == {("floors", "required")}


def test_what_is_not_ready_is_allowed_and_told(shop: Any, admin: Any) -> None:
    (processing,) = tracks(shop.client, 1, status="processing")
    items = [
        *music(processing),
        {"announcement": words(shop.client, status="generating", audio_file="").pk},
        {"announcement": words(shop.client, enabled=False).pk},
        {"announcement": words(shop.client, status="generating").pk},  # the words before are still there
    ]
    made = make(admin, items)
    assert [(item["playable"], item["why_not"]) for item in made["items"]] == [
        (False, "processing"),
        (False, "generating"),
        (False, "disabled"),
        (True, ""),
    ]


def test_a_sound_that_failed_later_may_stay_in_the_list(shop: Any, admin: Any) -> None:
    (track,) = tracks(shop.client, 1)
    made = make(admin, music(track))
    with system_scope("test"):
        track.status = "failed"
        track.save()
    again = admin.patch(f"{URL}{made['id']}/", {"items": music(track, *tracks(shop.client, 1))})
    assert [item["why_not"] for item in again.json()["items"]] == ["failed", ""]


def test_a_locked_business_reads_and_does_not_write(shop: Any, admin: Any) -> None:
    made = make(admin)
    with system_scope("test"):
        shop.client.status = "suspended"
        shop.client.save()
    assert admin.get(URL).json()["count"] == 1
    for response in (
        admin.post(URL, {"name": "x"}),
        admin.patch(f"{URL}{made['id']}/", {"name": "x"}),
        admin.post(f"{URL}{made['id']}/reorder/", {"items": []}),
        admin.post(f"{URL}{made['id']}/assign-floors/", {"floors": []}),
        admin.delete(f"{URL}{made['id']}/"),
    ):
        assert (response.status_code, response.json()["code"]) == (403, "client_suspended")


# --- who sees what ---------------------------------------------------------------------------------------


def test_another_tenants_playlist_is_not_there(shop: Any, admin: Any, other_shop: Any, call: Any) -> None:
    made = make(call(other_shop.admin))
    own = make(admin, name="Ours")
    assert [row["id"] for row in admin.get(URL).json()["results"]] == [own["id"]]
    for response in (
        admin.get(f"{URL}{made['id']}/"),
        admin.patch(f"{URL}{made['id']}/", {"name": "x"}),
        admin.delete(f"{URL}{made['id']}/"),
        admin.post(f"{URL}{made['id']}/reorder/", {"items": []}),
        admin.post(f"{URL}{made['id']}/assign-floors/", {"floors": []}),
    ):
        assert response.status_code == 404


def test_a_floor_user_sees_what_their_floor_has(shop: Any, admin: Any, call: Any) -> None:
    ground, upper = (floor.pk for floor in shop.floors)
    both, above, nowhere = (make(admin, name=name)["id"] for name in ("Both", "Above", "Nowhere"))
    admin.post(f"{URL}{both}/assign-floors/", {"floors": [ground, upper]})
    admin.post(f"{URL}{above}/assign-floors/", {"floors": [upper]})
    person = call(shop.floor_user)
    (row,) = person.get(URL).json()["results"]  # once, though it is on two floors
    assert row["id"] == both
    assert row["floors"] == [{"id": ground, "name": "Ground", "priority": 0}]
    assert [person.get(f"{URL}?floor={floor}").json()["count"] for floor in (ground, upper)] == [1, 0]
    assert person.get(f"{URL}{both}/").status_code == 200
    assert [person.get(f"{URL}{pk}/").status_code for pk in (above, nowhere)] == [404, 404]
    for response in (
        person.post(URL, {"name": "x"}),
        person.patch(f"{URL}{both}/", {"name": "x"}),
        person.delete(f"{URL}{both}/"),
        person.post(f"{URL}{both}/reorder/", {"items": []}),
        person.post(f"{URL}{both}/assign-floors/", {"floors": []}),
    ):
        assert response.status_code == 403
    assert call(None).get(URL).status_code == 401


def test_filters_search_and_order(shop: Any, admin: Any, staff: Any, call: Any, other_shop: Any) -> None:
    ground, upper = (floor.pk for floor in shop.floors)
    calm = make(admin, name="Calm", enabled=False)["id"]
    loud = make(admin, music(*tracks(shop.client, 2)), name="Loud", description="for the evening")["id"]
    admin.post(f"{URL}{calm}/assign-floors/", {"floors": [ground, upper]})
    admin.post(f"{URL}{loud}/assign-floors/", {"floors": [upper]})
    foreign = make(call(other_shop.admin))["id"]

    def listed(query: str, by: Any = admin) -> list[int]:
        return [row["id"] for row in by.get(f"{URL}?{query}").json()["results"]]

    assert listed("") == [calm, loud]
    assert listed(f"floor={ground}") == [calm]
    assert listed(f"floor={upper}&ordering=-name") == [loud, calm]
    assert listed(f"floor={other_shop.floors[0].pk}") == []
    assert listed("enabled=true") == [loud]
    assert listed("search=evening") == [loud]
    assert listed("ordering=-items_count") == [loud, calm]
    assert listed(f"client={other_shop.client.pk}") == []
    assert listed(f"client={other_shop.client.pk}", call(staff)) == [foreign]
    assert "items" not in admin.get(URL).json()["results"][0]


# --- the record and the cost -----------------------------------------------------------------------------


def test_every_change_is_on_the_record(shop: Any, admin: Any) -> None:
    first, second = tracks(shop.client, 2)
    made = make(admin, music(first))
    admin.patch(f"{URL}{made['id']}/", {"items": music(second), "name": "New"})
    admin.patch(f"{URL}{made['id']}/", {"items": music(second)})  # the same list: nothing to record
    admin.post(f"{URL}{made['id']}/assign-floors/", {"floors": [shop.floors[0].pk]})
    admin.post(f"{URL}{made['id']}/assign-floors/", {"floors": [shop.floors[0].pk]})
    admin.delete(f"{URL}{made['id']}/")
    with system_scope("test"):
        entries = AuditLog.objects.filter(resource="channel_playlist").order_by("pk")
        assert [entry.action for entry in entries] == [
            "create",
            "set_items",
            "update",
            "set_items",
            "assign_floors",
            "delete",
        ]
        assert json.loads(entries[3].details) == {
            "before": [["music", first.pk, None]],
            "after": [["music", second.pk, None]],
        }
        assert {entry.client_id for entry in entries} == {shop.client.pk}


def queries_of(run: Any) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        response = run()
    assert response.status_code < 300, response.content
    return len(captured)


def test_the_number_of_queries_does_not_grow(shop: Any, admin: Any) -> None:
    few, many = tracks(shop.client, 2), tracks(shop.client, 40)
    floors = [floor.pk for floor in shop.floors]
    ids = [make(admin, music(*rows))["id"] for rows in (few, many)]
    for pk in ids:
        admin.post(f"{URL}{pk}/assign-floors/", {"floors": floors})
    small, large = (queries_of(lambda pk=pk: admin.get(f"{URL}{pk}/")) for pk in ids)
    assert small == large
    one = queries_of(lambda: admin.get(f"{URL}?page_size=1"))
    assert one == queries_of(lambda: admin.get(f"{URL}?page_size=50"))
    small, large = (
        queries_of(lambda rows=rows: admin.post(URL, {"name": "n", "items": music(*rows)}))
        for rows in (few, many)
    )
    assert small == large


def test_changes_mark_the_programmes_of_their_floors(shop: Any, admin: Any) -> None:
    ground, upper = (floor.pk for floor in shop.floors)
    rows = tracks(shop.client, 2)
    made = make(admin, music(*rows))
    url = f"{URL}{made['id']}/"

    def marked(run: Any) -> set[int]:
        with system_scope("test"):
            FloorProgramme.objects.update(stale=False)
        assert run().status_code < 300
        with system_scope("test"):
            return set(FloorProgramme.objects.filter(stale=True).values_list("pk", flat=True))

    assert marked(lambda: admin.post(f"{url}assign-floors/", {"floors": [ground]})) == {ground}
    assert marked(lambda: admin.post(f"{url}assign-floors/", {"floors": [ground]})) == set()
    assert marked(lambda: admin.patch(url, {"enabled": False})) == {ground}
    assert marked(lambda: admin.patch(url, {"items": music(*rows[::-1])})) == {ground}
    ids = [item["id"] for item in made["items"]]
    assert marked(lambda: admin.post(f"{url}reorder/", {"items": ids})) == {ground}
    assert marked(lambda: admin.post(f"{url}reorder/", {"items": ids})) == set()
    assert marked(lambda: admin.patch(f"/api/floors/{ground}/", {"quiet_hours_start": None})) == {ground}
    assert marked(lambda: admin.delete(f"/api/music/{rows[0].pk}/")) == {ground}
    assert marked(lambda: admin.post(f"{url}assign-floors/", {"floors": [upper]})) == {ground, upper}
    assert marked(lambda: admin.delete(url)) == {upper}
