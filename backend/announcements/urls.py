"""Routes of announcements, below /api/."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from announcements.views import AnnouncementViewSet, VoiceViewSet

router = SimpleRouter()
router.register("announcements", AnnouncementViewSet, basename="announcement")

urlpatterns = [
    path("announcements/tts/voices/", VoiceViewSet.as_view({"get": "list"}), name="announcement-voices"),
    *router.urls,
]
