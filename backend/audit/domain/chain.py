"""The chain that holds the trail together: what an entry is to have said, and which entry follows which.

An entry has two hashes, both SHA-256 in hex over canonical JSON (RFC 8785: keys sorted, no spaces, UTF-8). Its
`digest` is over all that it says and is written with it. Its `hash` is over its place: the hash of the entry before
it in its chain, its number there, its id and its digest. A chain is one business's, and one is sync2gear's own
(`STAFF`); its numbers begin at 1 and have no gap. Whoever changes, removes, inserts or moves an entry breaks a hash
or a number; whoever recomputes all that follows has another head than the one that was noted down.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

STAFF = 0
"""The chain of entries that belong to no business."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends: the number of its newest entry, and that entry's hash."""

    number: int
    hash: str


BEGINNING = Head(0, "0" * 64)
"""The head of a chain without entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry as it is found: its place and hashes, and the digest of what it says now."""

    id: int
    number: int
    digest: str
    hash: str
    found: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was written. `number` is the place in the chain, `entry` the id of the row."""

    what: str
    number: int
    entry: int | None
    detail: str


def _sha256(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of(said: Mapping[str, Any]) -> str:
    """The digest of what an entry says. Instants count as UTC with their µs, addresses in one way of writing."""
    return _sha256({name: _plain(name, value) for name, value in said.items()})


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if name == "ip_address" and value is not None:
        address = ipaddress.ip_address(value)
        return str(getattr(address, "ipv4_mapped", None) or address)
    return value


def follow(before: Head, *, entry: int, digest: str) -> Head:
    """The head of a chain after one more entry."""
    number = before.number + 1
    return Head(number, _sha256({"before": before.hash, "digest": digest, "id": entry, "number": number}))


def check(entries: Iterable[Entry], *, start: Head, head: Head) -> Iterator[Finding]:
    """What is wrong with the stretch of a chain after `start` up to `head`; nothing, if it is intact.

    `entries` are those found there, by number and then id. One fault is told once or twice, not again with every
    entry after it: the next entry is judged by what it follows as it stands.
    """
    before = start
    for entry in entries:
        if entry.found != entry.digest:
            yield Finding("changed", entry.number, entry.id, "It does not say what was written.")
        if entry.number <= before.number:
            yield Finding("inserted", entry.number, entry.id, "Another entry has this number.")
            continue
        if entry.number > before.number + 1:
            yield _missing(before.number + 1, entry.number - 1)
        elif follow(before, entry=entry.id, digest=entry.digest).hash != entry.hash:
            yield Finding("out_of_place", entry.number, entry.id, "It does not follow the entry before it.")
        before = Head(entry.number, entry.hash)
    if before.number < head.number:
        yield _missing(before.number + 1, head.number)
    elif before != head:
        yield Finding(
            "wrong_head", head.number, None, "The chain does not end in the hash that is kept of it."
        )


def _missing(first: int, last: int) -> Finding:
    return Finding("missing", first, None, f"{last - first + 1} missing here: numbers {first} to {last}.")
