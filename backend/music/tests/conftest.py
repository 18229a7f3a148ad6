"""Fixtures of the tests of music."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from common import clock
from common.media_fields import Readiness
from common.tenancy import system_scope
from common.tests.sounds import Queue, commit, passing, queue, sound, upload
from music.models import MusicFile
from music.services import upload_music

__all__ = ["commit", "passing", "queue"]


@pytest.fixture
def track(settings: Any, commit: Any, queue: Queue) -> Callable[..., MusicFile]:
    """`track(shop, name="Tea", …)` is a track of that shop that is ready."""

    def make(business: Any, content: bytes | None = None, **columns: Any) -> MusicFile:
        with system_scope("test data"), commit():
            music = upload_music(
                client=business.client,
                created_by=business.admin,
                upload=upload(sound() if content is None else content),
                given={},
                now=clock.now(),
            )
            MusicFile.objects.filter(pk=music.pk).update(**{"status": Readiness.READY} | columns)
            music.refresh_from_db()
        queue.waiting.clear()
        return music

    return make
