"""Routes of businesses, relative to /api/."""

from __future__ import annotations

from django.urls import path

from clients.views import BusinessView

urlpatterns = [path("business/", BusinessView.as_view(), name="business")]
