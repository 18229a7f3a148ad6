"""Cuts the oldest entries off the chains, once they are older than the time they are kept.

A cut is on the record itself, as `cut` in the chain that it shortened; what remains is still a chain, which begins
after the hash of the last entry that went. Its oldest entry is old too, and shows it: `audit.domain.cutting`. A stretch
that is not as it was written is not cut, for it is evidence. The database's triggers let nothing else be removed:
`audit.append_only`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from audit.domain.chain import STAFF, Head, check
from audit.domain.cutting import cut_at
from audit.models import AuditChain, AuditLog
from audit.services import record
from audit.verification import CUT, CUT_OF, entries_of, of_chain

AT_ONCE = 1000
"""Entries of one chain that go in one transaction."""

logger = logging.getLogger(__name__)


def cut(*, before: datetime, kept: timedelta, now: datetime) -> Iterator[int]:
    """Cuts off what is older than `before`, taken back to the first of its month: a chain is cut once a month, since
    each cut is an entry too. Yields after each transaction how many entries went.
    """
    before = month_of(before)
    for chain in _old_chains(before):
        while removed := _cut_some(chain, before, kept):
            yield removed


def month_of(instant: datetime) -> datetime:
    """The first instant of its month, in UTC."""
    return instant.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def old(*, before: datetime) -> int:
    """How many entries a `cut` would remove."""
    before = month_of(before)
    counts = (
        of_chain(chain).filter(timestamp__lt=before).exclude(number=None).count() - 1
        for chain in _old_chains(before)
    )
    return sum(counts)


def _old_chains(before: datetime) -> list[int]:
    """Chains whose two oldest entries are old: of one alone, the last entry stays."""
    second = AuditLog.everything.filter(number=OuterRef("start_number") + 2, timestamp__lt=before)
    businesses = ~Q(chain=STAFF) & Q(Exists(second.filter(client_id=OuterRef("chain"))))
    own = Q(chain=STAFF) & Q(Exists(second.filter(client=None)))
    return list(AuditChain.objects.filter(businesses | own).values_list("chain", flat=True))


@transaction.atomic
def _cut_some(chain: int, before: datetime, kept: timedelta) -> int:
    """Cuts up to AT_ONCE entries off a chain; 0 when there is nothing to cut, or somebody else is at it."""
    row = AuditChain.objects.select_for_update(skip_locked=True).filter(chain=chain).first()
    if row is None:
        return 0
    rows = of_chain(chain).filter(number__gt=row.start_number).order_by("number", "pk")
    start = cut_at(rows.values_list("number", "hash", "timestamp")[: AT_ONCE + 1], before=before)
    if start is None:
        return 0
    for finding in check(entries_of(rows, row.start, start), start=row.start, head=start):
        logger.error(
            "chain %s of the audit trail is not cut, for at %s it is %s: see manage.py verify_audit",
            chain,
            finding.number,
            finding.what,
        )
        return 0
    first = row.start_number + 1
    AuditChain.objects.filter(chain=chain).update(start_number=start.number, start_hash=start.hash)
    removed = _remove(chain, start)
    record(
        CUT,
        resource=CUT_OF,
        resource_id=start.number,
        client_id=None if chain == STAFF else chain,
        details={"first": first, "last": start.number, "hash": start.hash, "kept_days": kept.days},
    )
    return removed


def _remove(chain: int, start: Head) -> int:
    """By SQL: the models refuse, and rightly."""
    of = "client_id IS NULL" if chain == STAFF else "client_id = %s"
    values: list[Any] = [start.number] if chain == STAFF else [start.number, chain]
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM audit_logs WHERE number <= %s AND {of}", values)  # noqa: S608  # our own names
        return int(cursor.rowcount)
