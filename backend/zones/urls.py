"""Routes of floors, relative to /api/. `floors/{id}/devices/` is the devices app's."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from zones.views import FloorViewSet

router = SimpleRouter()
router.register("floors", FloorViewSet, basename="floor")

urlpatterns = router.urls
