"""Routes of plans, relative to /api/."""

from __future__ import annotations

from django.urls import path

from plans.views import DevicePlanView, FloorTimelineView

urlpatterns = [
    path("devices/<int:device_pk>/plan/", DevicePlanView.as_view(), name="device-plan"),
    path("floors/<int:floor_pk>/timeline/", FloorTimelineView.as_view(), name="floor-timeline"),
]
