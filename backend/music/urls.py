"""Routes of music, below /api/."""

from rest_framework.routers import SimpleRouter

from music.views import MusicViewSet

router = SimpleRouter()
router.register("music", MusicViewSet, basename="music")

urlpatterns = router.urls
