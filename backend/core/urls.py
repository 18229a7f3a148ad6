"""Every route of the API."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, path

handler404 = "common.errors.not_found_view"
handler500 = "common.errors.server_error_view"

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
]
