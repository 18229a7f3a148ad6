"""Routes of webhooks, relative to /api/."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from webhooks.views import WebhookDeliveryViewSet, WebhookViewSet

router = SimpleRouter()
router.register("webhooks", WebhookViewSet, basename="webhook")

DELIVERIES = "webhooks/<int:webhook_id>/deliveries/"

urlpatterns = [
    *router.urls,
    path(DELIVERIES, WebhookDeliveryViewSet.as_view({"get": "list"}), name="webhook-deliveries"),
    path(
        f"{DELIVERIES}<int:pk>/redeliver/",
        WebhookDeliveryViewSet.as_view({"post": "redeliver"}),
        name="webhook-redeliver",
    ),
]
