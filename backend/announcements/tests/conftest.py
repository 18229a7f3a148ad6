"""Fixtures of the tests of announcements."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile

from announcements.models import Announcement
from common.media_fields import Readiness
from common.tenancy import system_scope
from common.tests.sounds import commit, passing, queue, sound

__all__ = ["commit", "passing", "queue"]


@pytest.fixture
def spoken(settings: Any) -> Callable[..., Announcement]:
    """`spoken(shop, text="…")` is an announcement of that shop that was spoken and is ready."""

    def make(business: Any, **columns: Any) -> Announcement:
        facts = {
            "title": "Welcome",
            "type": Announcement.Type.TTS,
            "text": "Welcome to our shop.",
            "audio_file": ContentFile(sound(), "tone.mp3"),
            "file_size": len(sound()),
            "sha256": hashlib.sha256(sound()).hexdigest(),
            "mime_type": "audio/mpeg",
            "duration": 1,
            "duration_ms": 1000,
            "status": Readiness.READY,
            "created_by": business.admin,
        }
        with system_scope("test data"):
            return Announcement.objects.create(client=business.client, **facts | columns)

    return make
