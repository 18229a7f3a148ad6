"""Periodic work of the ground."""

from __future__ import annotations

import logging

from celery import shared_task

from common import clock, media_files

logger = logging.getLogger(__name__)


@shared_task(name="common.sweep_media")
def sweep_media() -> None:
    """Removes stored files that no row names, and logs the rows whose file is missing."""
    try:
        seen = media_files.remove_orphans(now=clock.now())
    except media_files.TooManyOrphans as error:
        logger.error("%s Nothing is removed: see manage.py check_media", error)
        return
    if seen.named < media_files.rows_with_files():
        for column, pk, name in media_files.missing():
            logger.error("the file %s of %s %s is not in the storage", name, column.label, pk)
