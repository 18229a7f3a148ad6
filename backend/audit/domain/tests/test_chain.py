"""The chain: whatever one does to a stretch of it is found, and told once or twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from audit.domain.chain import BEGINNING, Entry, Head, check, digest_of, follow


def chain_of(*said: str) -> tuple[list[Entry], Head]:
    """A chain of entries that say these things, with ids that have gaps, and its head."""
    head, entries = BEGINNING, []
    for place, word in enumerate(said):
        digest = digest_of({"details": word})
        head = follow(head, entry=7 + 3 * place, digest=digest)
        entries.append(
            Entry(id=7 + 3 * place, number=head.number, digest=digest, hash=head.hash, found=digest)
        )
    return entries, head


def whats(entries: list[Entry], head: Head, start: Head = BEGINNING) -> list[tuple[str, int]]:
    ordered = sorted(entries, key=lambda entry: (entry.number, entry.id))
    return [(finding.what, finding.number) for finding in check(ordered, start=start, head=head)]


FIVE, HEAD = chain_of("a", "b", "c", "d", "e")
OTHER = digest_of({"details": "x"})


def rewritten(place: int, **changes: object) -> list[Entry]:
    return [replace(entry, **changes) if at == place else entry for at, entry in enumerate(FIVE)]


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        (FIVE, []),
        (rewritten(2, found=OTHER), [("changed", 3)]),
        (rewritten(2, found=OTHER, digest=OTHER), [("out_of_place", 3)]),
        (
            rewritten(
                2, found=OTHER, digest=OTHER, hash=follow(Head(2, FIVE[1].hash), entry=13, digest=OTHER).hash
            ),
            [("out_of_place", 4)],
        ),
        (FIVE[:2] + FIVE[3:], [("missing", 3)]),
        (FIVE[1:], [("missing", 1)]),
        (FIVE[:3], [("missing", 4)]),
        ([], [("missing", 1)]),
        ([*FIVE, replace(FIVE[1], id=99)], [("inserted", 2)]),
        ([*FIVE[:-1], replace(FIVE[-1], hash="0" * 64)], [("out_of_place", 5), ("wrong_head", 5)]),
        (
            [FIVE[0], replace(FIVE[1], number=3), replace(FIVE[2], number=2), *FIVE[3:]],
            [("out_of_place", 2), ("out_of_place", 3), ("out_of_place", 4)],
        ),
        (
            [FIVE[0], replace(FIVE[1], id=FIVE[2].id), replace(FIVE[2], id=FIVE[1].id), *FIVE[3:]],
            [("out_of_place", 2), ("out_of_place", 3)],
        ),
    ],
    ids=[
        "nothing",
        "says something else",
        "and its digest fits",
        "and its hash fits",
        "one gone",
        "the first gone",
        "the tail gone",
        "all gone",
        "one too many",
        "the last hash",
        "two swapped numbers",
        "two swapped ids",
    ],
)
def test_what_is_found(entries: list[Entry], found: list[tuple[str, int]]) -> None:
    assert whats(entries, HEAD) == found


def test_a_stretch_is_judged_from_a_noted_head() -> None:
    noted = Head(2, FIVE[1].hash)
    assert whats(FIVE[2:], HEAD, noted) == []
    assert whats(FIVE[2:], HEAD, Head(2, "0" * 64)) == [("out_of_place", 3)]


def test_a_chain_that_was_recomputed_has_another_head() -> None:
    forged, head = chain_of("a", "b", "x", "d", "e")
    assert whats(forged, head) == [], "within itself it fits"
    assert head != HEAD, "which is why heads are noted elsewhere"


@given(st.lists(st.text(), min_size=1, max_size=8), st.data())
def test_any_single_entry_changed_or_gone_is_found(said: list[str], data: st.DataObject) -> None:
    entries, head = chain_of(*said)
    assert whats(entries, head) == []
    place = data.draw(st.integers(0, len(said) - 1))
    assert whats(entries[:place] + entries[place + 1 :], head)
    word = data.draw(st.text())
    assume(word != said[place])
    changed = replace(entries[place], found=digest_of({"details": word}))
    assert whats([*entries[:place], changed, *entries[place + 1 :]], head) == [("changed", place + 1)]


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"timestamp": NOON}, {"timestamp": NOON.astimezone(timezone(timedelta(hours=2)))}, True),
        ({"timestamp": NOON}, {"timestamp": NOON + timedelta(microseconds=1)}, False),
        ({"ip_address": "::ffff:10.0.0.1"}, {"ip_address": "10.0.0.1"}, True),
        ({"ip_address": "2001:DB8::0:1"}, {"ip_address": "2001:db8::1"}, True),
        ({"ip_address": None}, {"ip_address": "10.0.0.1"}, False),
        ({"action": "a", "resource": "bc"}, {"action": "ab", "resource": "c"}, False),
        ({"user_id": None}, {"user_id": 0}, False),
    ],
)
def test_what_a_digest_tells_apart(one: dict[str, object], other: dict[str, object], same: bool) -> None:
    assert (digest_of(one) == digest_of(other)) is same


def test_the_form_of_a_digest_never_changes() -> None:
    """Known answers: another form would make every trail there is look tampered with."""
    said = {
        "details": '{"after": {"name": "Café"}}',
        "timestamp": NOON,
        "user_id": 7,
        "ip_address": "10.0.0.1",
    }
    assert digest_of(said) == "6781bb27c6aabfa8d15fa4e81f7795d673506237e4ad8307d95c6bb5b20f1042"
    after = follow(BEGINNING, entry=1, digest="0" * 64)
    assert after == Head(1, "1cfae1a53da7d4f5236ddf38c1ca29c86a422f6c1a431a709471eeb23f180f54")
