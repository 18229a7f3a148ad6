"""Routes of plans, relative to /api/."""

from __future__ import annotations

from django.urls import path

from plans.views import DevicePlanView

urlpatterns = [path("devices/<int:device_pk>/plan/", DevicePlanView.as_view(), name="device-plan")]
