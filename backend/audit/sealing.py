"""Seals the trail: gives each committed entry its number and hash, in the order in which the commits were seen.

Entries are not chained where they are written. The hash of one needs the one before, so that whoever writes would
have to hold the end of the chain until the commit: two requests that then wait for each other's rows would be a
deadlock, and all writes of a business would stand in one line. So an entry is written with its digest alone, and
this runs every second. What could be removed without a trace is only what was never sealed: an entry of the last
second or two. What it says is held by its digest from the start.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

from audit.domain.chain import BEGINNING, STAFF, Head, follow
from audit.models import AuditChain, AuditLog
from common.given import given

BATCH = 5000


def seal(*, now: datetime) -> int:
    """Chains all entries that wait; returns how many. Of several at once, one does it."""
    sealed = 0
    while AuditLog.everything.filter(number=None).exists():
        count = _seal_batch(now)
        if not count:
            break
        sealed += count
    return sealed


@transaction.atomic
def _seal_batch(now: datetime) -> int:
    # Whoever holds this row seals. It is locked before the entries are looked for, so that nobody sees them open twice;
    # who comes meanwhile goes away again, so that a long seal does not gather workers that wait for it.
    AuditChain.objects.get_or_create(chain=STAFF, defaults=_columns(BEGINNING, now))
    if not AuditChain.objects.select_for_update(skip_locked=True).filter(chain=STAFF):
        return 0
    waiting = AuditLog.everything.filter(number=None).order_by("pk").values_list("pk", "client_id", "digest")
    entries = [(pk, client or STAFF, digest) for pk, client, digest in waiting[:BATCH]]
    stored = AuditChain.objects.in_bulk({chain for _, chain, _ in entries})
    heads = {chain: row.head for chain, row in stored.items()}
    places: list[Head] = []
    for pk, chain, digest in entries:
        heads[chain] = follow(heads.get(chain, BEGINNING), entry=pk, digest=digest)
        places.append(heads[chain])
    _write([pk for pk, _, _ in entries], places)
    AuditChain.objects.bulk_create(
        [AuditChain(chain=chain, **_columns(head, now)) for chain, head in heads.items()],
        update_conflicts=True,
        unique_fields=["chain"],
        update_fields=["number", "hash", "sealed_at"],
    )
    return len(entries)


def _columns(head: Head, now: datetime) -> dict[str, object]:
    return {"number": head.number, "hash": head.hash, "sealed_at": now}


def _write(pks: list[int], places: list[Head]) -> None:
    """The one change of an entry that the database allows: from no place to its place."""
    table, values = given(
        "n",
        {
            "id": ("bigint", pks),
            "number": ("bigint", [place.number for place in places]),
            "hash": ("text", [place.hash for place in places]),
        },
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE audit_logs SET number = n.number, hash = n.hash"  # noqa: S608  # our own names
            f" FROM {table} WHERE audit_logs.id = n.id",
            values,
        )
