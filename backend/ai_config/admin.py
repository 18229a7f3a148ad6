"""AI providers in Django's admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget

from ai_config import services
from ai_config.domain.money import to_usd
from ai_config.models import AIProvider
from common import clock
from common.admin import StaffAdmin, StaffForm, confirmed
from common.admin_filters import by_choice

COLOURS = {"closed": "success", "half_open": "warning", "open": "danger"}


class ProviderForm(StaffForm):
    """An account; its key can be set, never read."""

    new_key = forms.CharField(
        required=False,
        max_length=500,
        label="New key",
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
        help_text="Leave it empty to keep the present one.",
    )

    def clean(self) -> dict[str, Any]:
        """A new account needs a key."""
        values = super().clean()
        if self.instance.pk is None and not values.get("new_key"):
            self.add_error("new_key", "Give the key.")
        return values


@admin.register(AIProvider)
class AIProviderAdmin(StaffAdmin):
    """The accounts at providers, by the API's services. Of their keys the last four are shown."""

    trail = "ai_provider"
    form = ProviderForm
    list_display = (
        "name",
        "provider",
        "is_active",
        "order",
        "breaker",
        "requests_today",
        "daily_request_limit",
        "spent",
        "monthly_budget_usd",
        "last_used",
    )
    list_filter = (by_choice("provider"), "is_active")
    search_fields = ("name",)
    ordering = ("order", "name")
    readonly_fields = (
        "key_hint",
        "breaker",
        "open_until",
        "requests_today",
        "spent",
        "total_requests",
        "total_tokens",
        "total_cost_usd",
        "last_failure_code",
        "last_failure_detail",
        "last_failure_at",
        "last_used",
        "created_at",
    )
    fieldsets = (
        (
            None,
            {"fields": (("name", "provider"), ("is_active", "order"), ("new_key", "key_hint"), "base_url")},
        ),
        ("Instead of the usual", {"fields": (("speech_model", "default_voice"), "copy_model")}),
        (
            "Prices in US dollars, instead of the usual",
            {
                "fields": (
                    "price_per_1000_characters_usd",
                    ("price_per_1000_input_tokens_usd", "price_per_1000_output_tokens_usd"),
                )
            },
        ),
        (
            "Limits",
            {"fields": (("daily_request_limit", "requests_today"), ("monthly_budget_usd", "spent"))},
        ),
        (
            "So far",
            {
                "fields": (
                    ("total_requests", "total_tokens", "total_cost_usd"),
                    ("breaker", "open_until"),
                    ("last_failure_code", "last_failure_at"),
                    "last_failure_detail",
                    ("last_used", "created_at"),
                )
            },
        ),
    )
    actions_detail = ("toggle", "try_it")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Their keys unread."""
        return super().get_queryset(request).defer("api_key")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """An account stays at its provider."""
        fixed = super().get_readonly_fields(request, obj)
        return fixed if obj is None else (*fixed, "provider")

    @display(description="breaker", label=COLOURS)
    def breaker(self, provider: AIProvider) -> str:
        """Open while it is left alone after failures."""
        return provider.breaker.state(clock.now())

    @display(description="spent this month", ordering="spent_microusd")
    def spent(self, provider: AIProvider) -> str:
        """Of the month that was counted last; calls under way at their estimate."""
        return f"{to_usd(provider.spent_microusd):.2f}"

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> AIProvider:
        """With its key."""
        values["api_key"] = values.pop("new_key")
        return services.create_provider(fields=values)

    def update_row(self, request: HttpRequest, row: AIProvider, changes: dict[str, Any]) -> AIProvider:
        """Another key, address, model or voice ends a rest."""
        key = changes.pop("new_key", "")
        if key:
            changes["api_key"] = key
        return services.update_provider(provider=row, changes=changes)

    def delete_row(self, request: HttpRequest, row: AIProvider) -> None:
        """What it was used for stays on record."""
        row.delete()

    @confirmed("Switch {row} off, or on again if it is off?", label="Switch", icon="power_settings_new")
    def toggle(self, request: HttpRequest, provider: AIProvider) -> str:
        """Off, or on."""
        now_on = services.toggle_provider(provider=provider).is_active
        return f"{provider} is {'on' if now_on else 'off'}."

    @confirmed("Make one tiny call to {row}? It counts, and costs.", label="Try", icon="network_check")
    def try_it(self, request: HttpRequest, provider: AIProvider) -> str:
        """The first kind that it serves."""
        trial = services.try_provider(provider=provider, kind=provider.entry.kinds[0])
        return f"{trial.kind}: {trial.detail} ({trial.latency_ms} ms, {trial.cost_usd} USD)"
