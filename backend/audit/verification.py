"""Reads the trail against its chains, a few thousand entries at a time, without holding up whoever writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Min, Subquery
from django.db.models.functions import Coalesce

from audit.domain.chain import BEGINNING, STAFF, Entry, Finding, Head, check, digest_of
from audit.models import SAID, AuditChain, AuditLog
from common.pagination import beyond

CHUNK = 2000
CUT, CUT_OF = "cut", "audit_log"
"""Action and resource of the entry that tells of a cut; its `resource_id` is the number up to which entries went."""
SEALED_WITHIN = timedelta(minutes=1)
"""An entry that waits longer for its place says that nothing seals."""


def chains() -> list[int]:
    """Every chain that there is a head or an entry of."""
    written = AuditLog.everything.order_by().values_list("client_id", flat=True).distinct()
    kept = AuditChain.objects.values_list("chain", flat=True)
    return sorted({client or STAFF for client in written} | set(kept))


def head_of(chain: int) -> Head:
    """The head that is kept of a chain; BEGINNING when there is none."""
    row = AuditChain.objects.filter(chain=chain).first()
    return BEGINNING if row is None else row.head


def start_of(chain: int) -> Head:
    """What the oldest entry of a chain follows: BEGINNING, unless old ones were cut off."""
    row = AuditChain.objects.filter(chain=chain).first()
    return BEGINNING if row is None else row.start


def verify_start(chain: int, *, kept: timedelta | None, now: datetime) -> Iterator[Finding]:
    """What is wrong with the beginning of a chain, of which only what is older than `kept` may have been cut off.

    The oldest entry that is there must be so old itself, and the trail must tell of the cut.
    """
    start = start_of(chain)
    if start == BEGINNING:
        return
    oldest = of_chain(chain).filter(number=start.number + 1).first()
    if oldest is None or kept is None or oldest.timestamp >= now - kept:
        yield Finding(
            "cut_too_early",
            start.number,
            oldest and oldest.pk,
            "Entries were removed before their time was over.",
        )
    cuts = of_chain(chain).filter(resource=CUT_OF, resource_id=str(start.number), action=CUT)
    if not any(json.loads(each.details).get("hash") == start.hash for each in cuts):
        yield Finding("cut_unrecorded", start.number, None, "No entry tells that the chain was cut here.")


def verify(chain: int, *, start: Head, head: Head) -> Iterator[Finding]:
    """What is wrong with a chain from `start` on. `start` is its own, as `start_of` gave it, or a head that was noted.

    `head` is the one kept of it, as `head_of` gave it before.
    """
    rows = of_chain(chain)
    if start != start_of(chain):
        noted = rows.filter(number=start.number).first()
        if noted is None or noted.hash != start.hash or noted.digest_now() != noted.digest:
            yield Finding(
                "not_as_noted", start.number, noted and noted.pk, "The noted head is gone or another."
            )
    yield from check(entries_of(rows, start, head), start=start, head=head)
    # In one statement with the head as it is now: the sealer may have gone on since.
    now_kept = Subquery(AuditChain.objects.filter(chain=chain).values("number"))
    too_far = rows.filter(number__gt=Coalesce(now_kept, 0)).order_by("number").values_list("pk", "number")
    for pk, number in too_far[:CHUNK]:
        yield Finding("beyond_head", number, pk, "The head kept of this chain does not reach so far.")
    for row in rows.filter(number=None).iterator(chunk_size=CHUNK):
        if row.digest_now() != row.digest:
            yield Finding("changed", 0, row.pk, "It is not sealed yet, and does not say what was written.")


def unsealed_since(*, now: datetime) -> datetime | None:
    """Since when the oldest entry waits for its place, if that is longer than `SEALED_WITHIN`."""
    oldest: datetime | None = AuditLog.everything.filter(number=None).aggregate(at=Min("timestamp"))["at"]
    return oldest if oldest is not None and oldest < now - SEALED_WITHIN else None


def of_chain(chain: int) -> Any:
    """The entries of a chain, those without a place too."""
    return AuditLog.everything.filter(client=None if chain == STAFF else chain)


def entries_of(rows: Any, start: Head, head: Head) -> Iterator[Entry]:
    """Those of `rows` after `start` up to `head`, in order, each with the digest of what it says now."""
    ordering = ("number", "pk")
    rows = rows.filter(number__gt=start.number, number__lte=head.number).order_by(*ordering)
    rows = rows.values("pk", "number", "digest", "hash", *SAID)
    page = list(rows[:CHUNK])
    while page:
        for row in page:
            found = digest_of({name: row[name] for name in SAID})
            yield Entry(
                id=row["pk"], number=row["number"], digest=row["digest"], hash=row["hash"], found=found
            )
        last = page[-1]
        page = list(rows.filter(beyond(ordering, (last["number"], last["pk"])))[:CHUNK])
