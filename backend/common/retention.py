"""Old rows go, a few at a time: each batch is a short transaction of its own, and where one run stops the next goes on.

Nothing is remembered between runs: what is left to remove is found anew, along an index. Of several runs at once each
passes over the rows that another is removing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Q

AT_ONCE = 250
"""Rows of a batch, besides what hangs on them: some tenths of a second, also on a machine that is busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Rows that go with those of another table: of `model`, where `column` is the `of` of a row that goes."""

    model: str
    column: str
    of: str = "pk"


def remove_old(
    model: str, *, by: str, before: datetime, along: str = "pk", parts: Sequence[Part] = ()
) -> Iterator[int]:
    """Removes the rows of `model` whose instant `by` is before `before`; yields after each batch how many went.
    One that has no such instant yet is not old.

    They are looked at in the order of `along`, an indexed column in which they were written, more or less: a batch
    of which most are too young is the last one. `parts` go first, in the same transaction.
    """
    rows: Any = apps.get_model(model)._base_manager
    place: Any = None
    while True:
        with transaction.atomic():
            ahead = rows.order_by(along, "pk")
            if place is not None:
                ahead = ahead.filter(**{f"{along}__gte": place})
            keys = sorted({"pk", along, by, *(part.of for part in parts)})
            looked_at = list(ahead.select_for_update(skip_locked=True).values(*keys)[:AT_ONCE])
            old = [row for row in looked_at if row[by] is not None and row[by] < before]
            if old:
                for part in parts:
                    _remove(part.model, part.column, {row[part.of] for row in old})
                _remove(model, "pk", {row["pk"] for row in old})
        if looked_at:
            place = looked_at[-1][along]
        yield len(old)
        if len(old) < AT_ONCE / 2:
            return


def _remove(model: str, column: str, values: set[Any]) -> None:
    """By one statement, without looking for what hangs on the rows: `parts` name that."""
    rows: Any = apps.get_model(model)._base_manager.filter(Q(**{f"{column}__in": values}))
    rows._raw_delete(rows.db)


def worked(work: Iterator[int], *, until: float, rest: float) -> tuple[int, bool]:
    """Lets `work` go on until it ends or `time.monotonic()` is `until`; how many went, and whether it ended.

    After each batch it rests `rest` times as long as the batch took, so that whoever else writes has the disk and,
    in SQLite, the lock.
    """
    removed = 0
    while time.monotonic() < until:
        begun = time.monotonic()
        batch = next(work, None)
        if batch is None:
            return removed, True
        removed += batch
        time.sleep(min(rest * (time.monotonic() - begun), max(0.0, until - time.monotonic())))
    return removed, False
