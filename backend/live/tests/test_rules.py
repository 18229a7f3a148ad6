"""What a page is told, as pure rules: what a scope shows of changes, and what a page that slept has missed."""

from __future__ import annotations

import pytest

from common.tenancy import Scope
from devices.hub import Change
from live.hub import seen_in
from live.journal import KEPT_US, SLACK_US, Journal
from live.protocol import MOST_IDS

ADMIN = Scope(client_id=1)
FLOOR_USER = Scope(client_id=1, floor_bound=True, floor_id=7)
NOWHERE = Scope(client_id=1, floor_bound=True)


@pytest.mark.parametrize(
    ("change", "admin", "floor_user", "nowhere"),
    [
        (Change("plays", 1, 7, ["a"]), {"plays": ["a"]}, {"plays": ["a"]}, {}),
        (Change("plays", 1, 8, ["a"]), {"plays": ["a"]}, {}, {}),
        (Change("plays", 1, 7, []), {"plays": None}, {"plays": None}, {}),
        (Change("plays", 1, 8, []), {"plays": None}, {}, {}),
        (Change("music", 1, None, ["3"]), {"music": ["3"]}, {"music": None}, {"music": None}),
        (Change("plays", 2, 7, ["a"]), {}, {}, {}),
        (Change("music", 2, None, ["3"]), {}, {}, {}),
    ],
)
def test_what_is_told_to_whom(change, admin, floor_user, nowhere):
    assert [seen_in(scope, [change]) for scope in (ADMIN, FLOOR_USER, NOWHERE)] == [
        admin,
        floor_user,
        nowhere,
    ]


def test_keys_come_together_and_many_are_not_named():
    assert seen_in(ADMIN, [Change("plays", 1, 7, ["b"]), Change("plays", 1, 8, ["a", "b"])]) == {
        "plays": ["a", "b"]
    }
    assert seen_in(ADMIN, [Change("plays", 1, 7, ["b"]), Change("plays", 1, 8, [])]) == {"plays": None}
    assert seen_in(ADMIN, [Change("plays", 1, 8, []), Change("plays", 1, 7, ["b"])]) == {"plays": None}
    many = [Change("plays", 1, 7, [str(number)]) for number in range(MOST_IDS + 1)]
    assert seen_in(ADMIN, many) == {"plays": None}


def missed(journal: Journal, as_of: int, client: int = 1) -> list[list[str]] | None:
    found = journal.since(as_of, client=client)
    return None if found is None else sorted(change.keys for change in found)


def test_what_was_missed():
    journal = Journal(complete_since=0)
    hour = 3600 * 1_000_000
    journal.note(Change("music", 1, None, ["1", "2"]), now_us=hour)
    journal.note(Change("music", 2, None, ["9"]), now_us=hour)
    journal.note(Change("music", 1, None, ["1"]), now_us=hour + 2 * SLACK_US)
    assert missed(journal, hour) == [["1"], ["2"]]
    assert missed(journal, hour + 2 * SLACK_US) == [["1"]], "the second is older than any delay"
    assert missed(journal, hour + 4 * SLACK_US) == []
    assert missed(journal, hour, client=3) == []
    assert missed(journal, 0) is None, "nobody knows what was before the process began"


def test_what_is_too_old_or_was_lost_is_no_longer_known():
    journal = Journal(complete_since=0)
    start = SLACK_US
    journal.note(Change("music", 1, None, ["1"]), now_us=start)
    assert missed(journal, start) == [["1"]]
    journal.note(Change("music", 1, None, ["2"]), now_us=start + KEPT_US + 1)
    assert missed(journal, start) is None
    assert missed(journal, start + KEPT_US) == [["2"]]
    journal.gap(now_us=start + 2 * KEPT_US)
    assert missed(journal, start + 2 * KEPT_US) is None
    assert missed(journal, start + 2 * KEPT_US + SLACK_US) == []


def test_only_so_many_are_remembered(monkeypatch):
    monkeypatch.setattr("live.journal.MOST", 2)
    journal = Journal(complete_since=0)
    for number in range(3):
        journal.note(Change("music", 1, None, [str(number)]), now_us=SLACK_US + number)
    assert missed(journal, 2 * SLACK_US + 1) == [["1"], ["2"]]
    assert missed(journal, 2 * SLACK_US) is None
    assert len(journal.entries) == 2
