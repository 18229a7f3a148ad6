"""Routes of schedules, below /api/."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from schedules.views import FloorResumeView, FloorStopView, ScheduleViewSet

router = SimpleRouter()
router.register("schedules", ScheduleViewSet, basename="schedule")

urlpatterns = [
    path("floors/<int:floor_pk>/stop/", FloorStopView.as_view(), name="floor-stop"),
    path("floors/<int:floor_pk>/resume/", FloorResumeView.as_view(), name="floor-resume"),
    *router.urls,
]
