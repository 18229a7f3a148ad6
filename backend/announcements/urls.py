"""Routes of announcements, below /api/."""

from rest_framework.routers import SimpleRouter

from announcements.views import AnnouncementViewSet

router = SimpleRouter()
router.register("announcements", AnnouncementViewSet, basename="announcement")

urlpatterns = router.urls
