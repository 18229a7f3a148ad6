"""Rows that are read anew under their lock before they are changed."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from common.errors import Refusal

M = TypeVar("M", bound=Model)


def lock_row(rows: QuerySet[M], pk: Any) -> M:
    """The row of `rows` with this key as it is now that nobody else can change it; inside a transaction.

    Rows that refer to it may still be written: PostgreSQL's FOR NO KEY UPDATE (manual, 13.3.2).

    Between looking a row up and locking it somebody may delete it: raises Refusal `not_found`.
    """
    row = rows.select_for_update(of=("self",), no_key=True).filter(pk=pk).first()
    if row is None:
        raise Refusal("not_found", "It has been deleted in the meantime.")
    return row
