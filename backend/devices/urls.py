"""Routes of speakers, relative to /api/."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from devices.device_views import DeviceSelfView, PairTokenView, PairView, TicketView
from devices.uptime_views import OutageViewSet, UptimeViewSet
from devices.views import DeviceViewSet, FloorDevicesViewSet

router = SimpleRouter()
router.register("devices", DeviceViewSet, basename="device")

urlpatterns = [
    path("devices/pair/", PairView.as_view(), name="device-pair"),
    path("devices/pair/token/", PairTokenView.as_view(), name="device-pair-token"),
    path("devices/self/", DeviceSelfView.as_view(), name="device-self"),
    path("devices/ticket/", TicketView.as_view(), name="device-ticket"),
    path("devices/uptime/", UptimeViewSet.as_view({"get": "list"}), name="device-uptime"),
    path("devices/<int:device_id>/outages/", OutageViewSet.as_view({"get": "list"}), name="device-outages"),
    path(
        "floors/<int:floor_id>/devices/", FloorDevicesViewSet.as_view({"get": "list"}), name="floor-devices"
    ),
    *router.urls,
]
