"""The work of the jobs on music: what runs after the request has been answered."""

from __future__ import annotations

import logging
from datetime import datetime

from common import preparation
from common.audio import isolated
from common.audio.errors import CodedError
from common.media_fields import Readiness
from common.uploads import local_copy
from live.changes import tell
from music.models import MusicFile

logger = logging.getLogger(__name__)


def measure(*, music_id: int) -> None:
    """Measures loudness and true peak of a track that is `processing`: it becomes `ready` or `failed`.

    Harmless when run twice, at once, or on a track that is gone.
    """
    music = preparation.begin(MusicFile.objects.all(), music_id, status=Readiness.PROCESSING)
    if music is None:
        return
    try:
        with preparation.at_work(music), local_copy(music.file) as path:
            outcome = preparation.success(isolated.measure(path))
    except CodedError as error:
        logger.warning("music %s could not be measured: %s", music_id, error)
        outcome = preparation.failure(error.code, error.detail)
    except FileNotFoundError:
        logger.exception("music %s has lost its file", music_id)
        outcome = preparation.failure("file_lost", "The file is no longer in the storage.")
    if MusicFile.objects.filter(pk=music_id, status=Readiness.PROCESSING).update(**outcome):
        tell("music", client=music.client_id, keys=[music_id])


def unfinished(*, now: datetime, asked_before: datetime) -> list[int]:
    """The tracks whose measurement was asked for before `asked_before` and is not done; see `preparation.lost`."""
    return [pk for pk, _ in preparation.lost(MusicFile.objects.all(), asked_before=asked_before, now=now)]
