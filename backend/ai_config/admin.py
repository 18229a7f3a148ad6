"""AI providers in Django's admin."""

from __future__ import annotations

from django.contrib import admin

from ai_config.models import AIProvider
from common.admin import StaffAdmin
from common.admin_filters import by_choice


@admin.register(AIProvider)
class AIProviderAdmin(StaffAdmin):
    """The accounts at providers. Their keys are never shown."""

    trail = "ai_provider"
    list_display = (
        "name",
        "provider",
        "is_active",
        "total_requests",
        "total_cost_usd",
        "daily_request_limit",
        "monthly_budget_usd",
        "last_used",
    )
    list_filter = (by_choice("provider"), "is_active")
    search_fields = ("name",)
    fields = (
        ("name", "provider"),
        "is_active",
        ("daily_request_limit", "monthly_budget_usd"),
        ("total_requests", "total_tokens", "total_cost_usd"),
        ("last_used", "created_at"),
    )
