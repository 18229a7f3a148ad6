"""Shuffled bags that any language can reproduce.

The order of a bag is the order of SHA-256 over the text

    "bag", seed, key, number of the bag, candidate        joined by U+001F, UTF-8

compared as bytes. `key` names what is shuffled (a schedule's slot, a floor's playlist). Nothing depends on a
random stream: bag 1,000 is computed without its predecessors, and adding a candidate leaves the others in
their relative order.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256

_SEPARATOR = "\x1f"


def digest(*parts: str | int) -> bytes:
    """SHA-256 of the parts as text, joined by U+001F: the only source of chance in the engine."""
    return sha256(_SEPARATOR.join(map(str, parts)).encode()).digest()


@lru_cache(maxsize=512)
def shuffled(seed: str, key: str, number: int, candidates: tuple[str, ...]) -> tuple[str, ...]:
    """The candidates in the order of bag `number`, before its seam is mended."""
    prefix = sha256(_SEPARATOR.join(("bag", seed, key, str(number), "")).encode())

    def place(candidate: str) -> bytes:
        hasher = prefix.copy()
        hasher.update(candidate.encode())
        return hasher.digest()

    return tuple(sorted(candidates, key=place))


@lru_cache(maxsize=512)
def bag(seed: str, key: str, number: int, candidates: tuple[str, ...]) -> tuple[str, ...]:
    """Bag `number`: every candidate once, and its first is not the last of bag `number` − 1.

    Three candidates or more: if the shuffle begins with the last of the previous bag, its first two change
    places, which leaves its own last alone. Two candidates can only alternate: all bags have the order of
    bag 0. `candidates` are distinct and sorted.
    """
    if len(candidates) <= 1:
        return candidates
    if len(candidates) == 2:
        return shuffled(seed, key, 0, candidates)
    order = shuffled(seed, key, number, candidates)
    if order[0] == shuffled(seed, key, number - 1, candidates)[-1]:
        return (order[1], order[0], *order[2:])
    return order


def draw(seed: str, key: str, number: int, candidates: tuple[str, ...]) -> str:
    """Draw `number` with replacement: the first eight bytes of a digest, big-endian, modulo the count."""
    chance = int.from_bytes(digest("draw", seed, key, number)[:8], "big")
    return candidates[chance % len(candidates)]
