"""Routes of music, below /api/."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from music.views import MusicViewSet

router = SimpleRouter()
router.register("music", MusicViewSet, basename="music")

urlpatterns = router.urls
