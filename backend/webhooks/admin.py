"""Webhooks and their deliveries in Django's admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from common import clock
from common.admin import StaffAdmin, confirmed, link_to
from common.admin_filters import by_choice, by_row, by_time
from webhooks import services
from webhooks.models import Webhook, WebhookDelivery


@admin.register(Webhook)
class WebhookAdmin(StaffAdmin):
    """The webhooks of all businesses. Their secrets are never shown: the business's own admins make them."""

    trail = "webhook"
    list_display = (
        "url",
        link_to("client"),
        "is_active",
        "switched_off",
        "failures",
        "failing_since",
        "created_at",
    )
    list_select_related = ("client",)
    list_filter = (by_row("client"), "is_active", by_choice("switched_off"))
    search_fields = ("url", "description", "client__name")
    ordering = ("client__name", "pk")
    readonly_fields = (
        "events",
        "switched_off",
        "switched_off_at",
        "failures",
        "failing_since",
        "paused_until",
        "old_secret_until",
        "created_at",
        "updated_at",
    )
    fieldsets = (
        (None, {"fields": ("client", "url", "description", "events", "is_active")}),
        (
            "How it fares",
            {
                "fields": (
                    ("switched_off", "switched_off_at"),
                    ("failures", "failing_since", "paused_until"),
                    "old_secret_until",
                    ("created_at", "updated_at"),
                )
            },
        ),
    )

    def update_row(self, request: HttpRequest, row: Webhook, changes: dict[str, Any]) -> Webhook:
        """URL, description, and whether anything is sent."""
        return services.update_webhook(webhook=row, **changes)

    def delete_row(self, request: HttpRequest, row: Webhook) -> None:
        """With its deliveries."""
        services.delete_webhook(webhook=row)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(StaffAdmin):
    """What was sent to businesses' systems in the last 14 days, and what they said."""

    list_display = (
        "type",
        link_to("webhook", ordering="url"),
        link_to("client"),
        "status",
        "attempts",
        "response_status",
        "error_code",
        "next_attempt_at",
        "created_at",
    )
    list_select_related = ("webhook", "client")
    list_filter = (by_row("client"), by_choice("status"), by_choice("type"), by_time("created_at"))
    search_fields = ("message_id", "webhook__url", "client__name")
    ordering = ("-created_at", "-pk")
    fields = (
        ("client", "webhook"),
        ("type", "message_id"),
        "payload",
        ("status", "attempts", "attempts_left"),
        ("next_attempt_at", "leased_until", "last_attempt_at"),
        ("response_status", "duration_ms", "error_code"),
        "error",
        "response_body",
        "created_at",
    )
    actions_detail = ("redeliver",)

    @confirmed("Send {row} once more?", label="Send again", icon="redo")
    def redeliver(self, request: HttpRequest, delivery: WebhookDelivery) -> str:
        """One more attempt, soon."""
        services.redeliver(delivery=delivery, now=clock.now())
        return "It is sent again."
