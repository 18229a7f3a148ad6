"""A business's own systems are told that an announcement is ready, or why it is not: with the row's own change."""

from __future__ import annotations

import pytest

from announcements import preparing
from announcements.models import Announcement
from announcements.speech.errors import SpeechFailed
from announcements.tests.test_speech import stub
from common.media_fields import Readiness
from webhooks.tests.support import make_webhook, told

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everything")]


@pytest.fixture
def waiting(spoken, shop, other_shop):
    """An announcement that is to be spoken, of a business with a webhook."""
    make_webhook(shop)
    make_webhook(other_shop)
    return spoken(shop, status=Readiness.GENERATING, text="New words.")


def test_it_is_ready(waiting, shop, other_shop, monkeypatch):
    stub(monkeypatch)
    for _ in range(2):  # a broker may deliver again
        preparing.speak(announcement_id=waiting.pk)
    waiting.refresh_from_db()
    about = {"id": waiting.pk, "title": "Welcome", "type": "tts", "duration_ms": waiting.duration_ms}
    assert told(shop) == [("announcement.ready", {"announcement": about})]
    assert told(other_shop) == []


def test_it_failed(waiting, shop, monkeypatch):
    def fails(text):
        raise SpeechFailed("engine_crashed", "The voice failed.")

    stub(monkeypatch, fails)
    preparing.speak(announcement_id=waiting.pk)
    about = {"id": waiting.pk, "title": "Welcome", "type": "tts"}
    data = {"announcement": about, "code": "engine_crashed", "detail": "The voice failed."}
    assert told(shop) == [("announcement.failed", data)]


def test_work_that_was_overtaken_is_not_told(waiting, shop, monkeypatch):
    stub(monkeypatch, lambda text: Announcement.objects.update(text="Newer words."))
    preparing.speak(announcement_id=waiting.pk)
    assert told(shop) == []
