"""Brings every secret of the database under the newest of ENCRYPTION_KEYS, so that older keys can be dropped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models.functions import Cast

from common import crypto

PAGE = 500
"""Rows read at once; each is written by itself, so that nothing waits for more than one row."""


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """What became of one encrypted column: how many rows were re-encrypted and how many already stood under the newest
    key, and the primary keys of those that no key opens."""

    column: str
    renewed: int
    current: int
    lost: tuple[Any, ...]


def encrypted_columns() -> Iterator[tuple[type[models.Model], str]]:
    """Every `EncryptedTextField` of every app."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, crypto.EncryptedTextField):
                yield model, field.name


def rekey(model: type[models.Model], column: str) -> Rekeyed:
    """Re-encrypts one column. It may be interrupted at any row and begun again, and may run beside a live server:
    a row that somebody else writes meanwhile is left as they wrote it."""
    renewed = current = 0
    lost: list[Any] = []
    for pk, sealed in _rows(model, column):
        if crypto.is_current(sealed):
            current += 1
            continue
        try:
            plain = crypto.decrypt(sealed)
        except crypto.CannotDecrypt:
            lost.append(pk)
            continue
        renewed += _stored(model, column).filter(pk=pk, stored=sealed).update(**{column: plain})
    return Rekeyed(f"{model._meta.label}.{column}", renewed, current, tuple(lost))


def _stored(model: type[models.Model], column: str) -> models.QuerySet[Any]:
    """All rows of every business, with what the database holds in `column` as `stored`."""
    return model._base_manager.annotate(stored=Cast(column, models.TextField()))


def _rows(model: type[models.Model], column: str) -> Iterator[tuple[Any, str]]:
    rows = _stored(model, column).filter(stored__gt="").order_by("pk").values_list("pk", "stored")
    page = list(rows[:PAGE])
    while page:
        yield from page
        page = list(rows.filter(pk__gt=page[-1][0])[:PAGE])
