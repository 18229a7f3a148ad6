"""Which announcement an occurrence plays: one choice, the same on every device of the schedule."""

from __future__ import annotations

from collections.abc import Iterable

from playlists.domain.bags import bag, draw


def choose(seed: str, key: str, ordinal: int, candidates: Iterable[str], *, avoid_repeat: bool) -> str | None:
    """The candidate that occurrence number `ordinal` of `key` plays; None if there is none.

    With `avoid_repeat`, occurrence n takes place n mod c of bag n div c (c candidates): each once before any
    returns, none twice in a row across the seam of two bags. Without it, every occurrence is an independent
    draw. Order and doubles in `candidates` do not matter; `ordinal` may be negative (floor division).

    If the candidates change (one is added, switched off, becomes valid), the occurrences from then on use the
    bags of the new candidates, entered at the same ordinal: the bag under way may bring one again early,
    every bag that lies wholly after the change is complete. Other schedules' choices never move.
    """
    return pick(seed, key, ordinal, tuple(sorted(set(candidates))), avoid_repeat=avoid_repeat)


def pick(seed: str, key: str, ordinal: int, names: tuple[str, ...], *, avoid_repeat: bool) -> str | None:
    """`choose` for candidates that are already distinct and sorted."""
    if len(names) <= 1:
        return names[0] if names else None
    if avoid_repeat:
        number, place = divmod(ordinal, len(names))
        return bag(seed, key, number, names)[place]
    return draw(seed, key, ordinal, names)
