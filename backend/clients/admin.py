"""Businesses in Django's admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from clients import services
from clients.models import Client
from common.admin import StaffAdmin
from common.admin_filters import by_choice, by_time

COLOURS = {"Active": "success", "Trial": "info", "Trial ended": "warning", "Suspended": "danger"}


@admin.register(Client)
class ClientAdmin(StaffAdmin):
    """All businesses."""

    trail = "client"
    list_display = (
        "name",
        "access",
        "email",
        "telephone",
        "trial_ends_at",
        "subscription_price",
        "floors_allowed",
        "ai_credits",
        "created_at",
    )
    list_filter = (
        by_choice("status"),
        "multi_floor_enabled",
        by_time("trial_ends_at"),
        by_time("created_at"),
    )
    search_fields = ("name", "business_name", "email", "telephone")
    ordering = ("name",)
    readonly_fields = ("access", "email", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": (("name", "access"), ("email", "telephone"), "description")}),
        ("Wall clock", {"fields": (("timezone", "announcement_gap_minutes"),)}),
        ("Made", {"fields": (("created_at", "updated_at"),)}),
    )

    @display(description="access", ordering="status", label=COLOURS)
    def access(self, client: Client) -> str:
        """What it may do now."""
        lock = client.lock()
        return "Trial ended" if lock and lock.code == "trial_ended" else client.get_status_display()

    def update_row(self, request: HttpRequest, row: Client, changes: dict[str, Any]) -> Client:
        """What a business sets for itself."""
        return services.set_up_business(client=row, **changes)
