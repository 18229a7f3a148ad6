"""Routes of plays, relative to /api/."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from events.views import PlayAnnouncementView, PlayEventViewSet

router = SimpleRouter()
router.register("play-events", PlayEventViewSet, basename="play-event")

urlpatterns = [
    path(
        "announcements/<int:announcement_pk>/play/", PlayAnnouncementView.as_view(), name="announcement-play"
    ),
    *router.urls,
]
