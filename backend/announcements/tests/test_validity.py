"""From when and until when an announcement may be chosen."""

from __future__ import annotations

from typing import Any

import pytest

from events.tests.support import make_announcement


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"valid_from": "2026-07-01T00:00:00Z", "valid_until": "2026-07-08T00:00:00Z"}, 200),
        ({"valid_from": None, "valid_until": "2026-01-01T00:00:00Z"}, 200),
        ({"valid_until": "2026-06-01T00:00:00Z"}, 400),
        ({"valid_from": "2026-07-01T00:00:00Z", "valid_until": "2026-07-01T00:00:00Z"}, 400),
    ],
)
def test_validity_is_set_and_is_not_empty(shop: Any, call: Any, change: dict[str, Any], status: int) -> None:
    row = make_announcement(shop, valid_from="2026-06-15T00:00:00Z")
    response = call(shop.admin).patch(f"/api/announcements/{row.pk}/", change, format="json")
    assert response.status_code == status, response.content
    if status == 200:
        assert {name: response.json()[name] for name in change} == change
    else:
        assert [(e["field"], e["code"]) for e in response.json()["errors"]] == [
            ("valid_until", "before_start")
        ]


def test_a_new_one_may_have_it(shop: Any, call: Any) -> None:
    wanted = {"title": "Sale", "text": "Sale today", "valid_until": "2026-07-08T00:00:00Z"}
    made = call(shop.admin).post("/api/announcements/tts/generate/", wanted, format="json")
    assert made.status_code == 202, made.content
    assert (made.json()["valid_from"], made.json()["valid_until"]) == (None, "2026-07-08T00:00:00Z")
