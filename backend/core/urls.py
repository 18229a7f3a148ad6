"""Every route: the API under /api/, its documentation, signed media links, Django's admin, and the pages."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView

from common import media_urls
from core import web_pages
from core.api_docs import AsyncAPIView, SchemaView

handler400 = "common.errors.bad_request_view"
handler404 = "core.web_pages.not_found"
handler500 = "common.errors.server_error_view"

# What stands higher comes first: `announcements/{id}/play/` is the events app's, the rest of it is not.
API_APPS = (
    "plans",
    "schedules",
    "playlists",
    "events",
    "announcements",
    "music",
    "live",
    "devices",
    "zones",
    "webhooks",
    "users",
    "clients",
    "ai_config",
    "audit",
)

urlpatterns: list[URLPattern | URLResolver] = [
    *(path("api/", include(f"{app}.urls")) for app in API_APPS),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("api/redoc/", SpectacularRedocView.as_view(url_name="schema"), name="redoc"),
    path("api/asyncapi/", AsyncAPIView.as_view(), name="asyncapi"),
    path("", include(media_urls)),
    path("", include(web_pages)),
    path("admin/", admin.site.urls),
]
