"""Fixtures of the tests of music."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile

from common.media_fields import Readiness
from common.tenancy import system_scope
from common.tests.sounds import commit, passing, queue, sound
from music.models import MusicFile

__all__ = ["commit", "passing", "queue"]


@pytest.fixture
def track(settings: Any) -> Callable[..., MusicFile]:
    """`track(shop, name="Tea", …)` is a track of that shop that is ready, with a second of sound."""

    def make(business: Any, **columns: Any) -> MusicFile:
        facts = {
            "name": "tone",
            "file": ContentFile(sound(), "tone.mp3"),
            "file_size": len(sound()),
            "sha256": hashlib.sha256(sound()).hexdigest(),
            "mime_type": "audio/mpeg",
            "duration": 1,
            "duration_ms": 1000,
            "status": Readiness.READY,
            "created_by": business.admin,
        }
        with system_scope("test data"):
            return MusicFile.objects.create(client=business.client, **facts | columns)

    return make
