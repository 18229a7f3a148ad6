"""Routes of AI providers, below /api/."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from ai_config.views import ProviderViewSet

router = SimpleRouter()
router.register("ai-providers", ProviderViewSet, basename="ai-provider")

urlpatterns = router.urls
