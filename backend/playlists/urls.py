"""Routes of channel playlists, below /api/."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from playlists.views import ChannelPlaylistViewSet

router = SimpleRouter()
router.register("channel-playlists", ChannelPlaylistViewSet, basename="channel-playlist")

urlpatterns = router.urls
