"""Files and the rows that name them: what is in the storage for nobody, and what somebody looks for in vain.

A process that is killed between writing a file and committing its row leaves the file behind: an orphan. Nothing here
knows an app: the columns are Django's own FileFields. Memory stays the same however many files there are.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.apps import apps
from django.core.files.storage import default_storage
from django.db import models

from common.storages import Media, Stored

GRACE = timedelta(hours=24)
"""A file younger than this may belong to an upload, a job or a transaction that is still running."""
AT_ONCE = 500
"""Files whose rows one query looks for."""
FEW = 100
MOST_SHARE = 0.1
"""More orphans than `FEW`, and than this share of all files, are no leftovers: the database is another storage's."""

_OURS = re.compile(r"(?:.*/)?\.?[0-9a-f]{32}[^/]*")  # as `common.uploads.stored` names them, parts included

logger = logging.getLogger(__name__)


class TooManyOrphans(RuntimeError):
    """So many files have no row that the wrong database, or an old one, seems to be looked at; nothing was removed."""


@dataclass(frozen=True, slots=True)
class Column:
    """A FileField of a model."""

    model: type[models.Model]
    field: models.FileField

    @property
    def label(self) -> str:
        """For people, as `music.MusicFile.file`."""
        return f"{self.model._meta.label}.{self.field.name}"

    @property
    def folder(self) -> str:
        """Where its files lie: the part of `upload_to` without a date."""
        return str(self.field.upload_to).partition("/")[0]

    def rows(self) -> models.QuerySet[Any]:
        """Its rows that name a file, of every business."""
        empty = models.Q(**{self.field.name: ""}) | models.Q(**{f"{self.field.name}__isnull": True})
        rows: models.QuerySet[Any] = self.model._base_manager.exclude(empty)
        return rows


def columns() -> list[Column]:
    """Every FileField of every model."""
    return [
        Column(model, field)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.FileField)
    ]


def is_named(name: str) -> bool:
    """Whether any row names this file."""
    return any(column.rows().filter(**{column.field.name: name}).exists() for column in columns())


@dataclass(slots=True)
class Tally:
    """What was seen: files of ours and their bytes, those without a row, and rows whose file was among them."""

    files: int = 0
    size: int = 0
    orphans: int = 0
    orphan_size: int = 0
    named: int = 0

    @property
    def suspicious(self) -> bool:
        """Whether these are too many to be leftovers."""
        return self.orphans > FEW and self.orphans > MOST_SHARE * self.files


def survey(*, before: datetime, orphan: Callable[[Stored], object] = lambda stored: None) -> Tally:
    """Looks at every stored file; calls `orphan` for each written before `before` that no row names."""
    tally = Tally()
    files = (stored for folder in _folders() for stored in _media().listing(folder))
    for some in _batches(stored for stored in files if _OURS.fullmatch(stored.name)):
        named = _named([stored.name for stored in some])
        tally.named += sum(named.values())
        for stored in some:
            tally.files += 1
            tally.size += stored.size
            if stored.name not in named and stored.modified < before:
                tally.orphans += 1
                tally.orphan_size += stored.size
                orphan(stored)
    return tally


def remove_orphans(*, now: datetime, grace: timedelta = GRACE, anyway: bool = False) -> Tally:
    """Removes the files that no row names and that are older than `grace`; harmless when run twice at once.

    Raises `TooManyOrphans`, and removes nothing, unless they are to go `anyway`.
    """
    tally = survey(before=now - grace)
    if tally.suspicious and not anyway:
        raise TooManyOrphans(
            f"{tally.orphans} of {tally.files} files have no row. Is this the database of this storage?"
        )
    if tally.orphans:
        survey(before=now - grace, orphan=_remove)
    return tally


def missing() -> Iterator[tuple[Column, Any, str]]:
    """The rows whose file is not there: column, key and name. Each is looked for, which takes a request with S3."""
    storage = _media()
    for column in columns():
        rows = column.rows().order_by("pk").values_list("pk", column.field.name)
        for pk, name in rows.iterator(chunk_size=AT_ONCE):
            if not storage.exists(name):
                yield column, pk, name


def rows_with_files() -> int:
    """How many names there are; less were seen by `survey` if files are missing."""
    return sum(column.rows().count() for column in columns())


def _media() -> Media:
    storage: Any = default_storage
    return storage  # type: ignore[no-any-return]  # one of common.storages


def _folders() -> list[str]:
    return sorted({column.folder for column in columns()})


def _batches(files: Iterable[Stored]) -> Iterator[list[Stored]]:
    left = iter(files)
    while some := list(islice(left, AT_ONCE)):
        yield some


def _named(names: list[str]) -> dict[str, int]:
    """Those of these names that rows have, and how many rows."""
    found: dict[str, int] = {}
    for column in columns():
        field = column.field.name
        for name in column.rows().filter(**{f"{field}__in": names}).values_list(field, flat=True):
            found[name] = found.get(name, 0) + 1
    return found


def _remove(stored: Stored) -> None:
    logger.info("removing %s: no row names it (%s bytes)", stored.name, stored.size)
    _media().delete(stored.name)
