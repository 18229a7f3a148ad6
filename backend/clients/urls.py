"""Routes of businesses, relative to /api/."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from clients.views import BusinessView, ClientViewSet

router = SimpleRouter()
router.register("clients", ClientViewSet, basename="client")

urlpatterns = [path("business/", BusinessView.as_view(), name="business"), *router.urls]
