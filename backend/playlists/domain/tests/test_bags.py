"""Bags: every candidate once, and no candidate twice in a row."""

from __future__ import annotations

from collections import Counter
from itertools import chain, pairwise

from hypothesis import given
from hypothesis import strategies as st

from playlists.domain.bags import bag, draw, shuffled

names = st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=9, unique=True).map(
    lambda found: tuple(sorted(found))
)


@given(st.text(max_size=5), st.text(max_size=5), st.integers(-(10**6), 10**6), names)
def test_every_bag_holds_every_candidate_once(
    seed: str, key: str, number: int, names: tuple[str, ...]
) -> None:
    assert sorted(bag(seed, key, number, names)) == sorted(names)


@given(st.text(max_size=5), st.integers(-1000, 1000), names)
def test_no_candidate_follows_itself_over_ten_seams(seed: str, first: int, names: tuple[str, ...]) -> None:
    heard = chain.from_iterable(bag(seed, "k", first + i, names) for i in range(10))
    if len(names) > 1:
        assert all(a != b for a, b in pairwise(heard))


@given(st.integers(0, 10**6), names, st.text(min_size=5, max_size=6))
def test_a_new_candidate_leaves_the_others_in_their_order(
    number: int, names: tuple[str, ...], new: str
) -> None:
    before = shuffled("s", "k", number, names)
    after = shuffled("s", "k", number, tuple(sorted((*names, new))))
    assert tuple(name for name in after if name != new) == before


def test_bags_differ_from_one_another_and_places_are_even() -> None:
    names = tuple("abcdef")
    bags = [bag("s", "k", number, names) for number in range(3000)]
    assert len(set(bags)) > 680  # of 720 orders
    firsts = Counter(order[0] for order in bags)
    assert all(400 < firsts[name] < 600 for name in names)


def test_draws_are_even_and_repeat_sometimes() -> None:
    drawn = [draw("s", "k", number, tuple("abcd")) for number in range(4000)]
    assert all(900 < count < 1100 for count in Counter(drawn).values())
    assert 900 < sum(a == b for a, b in pairwise(drawn)) < 1100
