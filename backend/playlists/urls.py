"""Routes of channel playlists and of what was played, below /api/."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from playlists.licence_views import LicenceLogView
from playlists.views import ChannelPlaylistViewSet

router = SimpleRouter()
router.register("channel-playlists", ChannelPlaylistViewSet, basename="channel-playlist")

urlpatterns = [path("music/licence-log/", LicenceLogView.as_view(), name="licence-log"), *router.urls]
