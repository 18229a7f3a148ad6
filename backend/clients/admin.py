"""Businesses in Django's admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from clients import deletion, services
from clients.models import Client
from clients.selectors import with_counts
from common import clock
from common.admin import StaffAdmin, confirmed
from common.admin_filters import by_choice, by_time

COLOURS = {"open": "success", "on trial": "info", "locked": "danger"}
LONGEST_EXTENSION_DAYS = 365


class DaysForm(forms.Form):
    """How long."""

    days = forms.IntegerField(
        min_value=1, max_value=LONGEST_EXTENSION_DAYS, initial=14, widget=UnfoldAdminIntegerFieldWidget
    )


class NameForm(forms.Form):
    """What is typed to show that it is meant."""

    name = forms.CharField(label="The name of the business", widget=UnfoldAdminTextInputWidget)


@admin.register(Client)
class ClientAdmin(StaffAdmin):
    """All businesses, by the API's services. It is locked, opened and removed by buttons that ask first."""

    trail = "client"
    list_display = (
        "name",
        "access",
        "email",
        "telephone",
        "trial_ends_at",
        "subscription_price",
        "floors",
        "speakers",
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
    readonly_fields = (
        "access",
        "why",
        "deletion_requested_at",
        "deletion_confirmed_at",
        "created_at",
        "updated_at",
    )
    WHO = (("name", "business_name"), ("email", "telephone"), "description")
    PLAN = (
        ("subscription_price", "subscription_status"),
        ("multi_floor_enabled", "max_floors", "ai_credits"),
        ("stripe_customer_id", "stripe_subscription_id"),
    )
    CLOCK = (("timezone", "announcement_gap_minutes"),)
    fieldsets = (
        (None, {"fields": WHO}),
        ("Access", {"fields": (("status", "access"), "why", ("trial_days", "trial_ends_at"))}),
        ("Plan", {"fields": PLAN}),
        ("Wall clock", {"fields": CLOCK}),
        (
            "Made and unmade",
            {
                "fields": (
                    ("created_at", "updated_at"),
                    ("deletion_requested_at", "deletion_confirmed_at"),
                )
            },
        ),
    )
    add_fieldsets = (
        (None, {"fields": WHO}),
        ("Access", {"fields": (("status", "trial_days"),)}),
        ("Plan", {"fields": PLAN}),
        ("Wall clock", {"fields": CLOCK}),
    )
    actions_detail = (
        "extend_trial",
        "activate",
        "suspend",
        {
            "title": "Deletion",
            "icon": "delete",
            "items": ["request_deletion", "confirm_deletion", "cancel_deletion"],
        },
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the counts of floors and speakers."""
        return with_counts(super().get_queryset(request), now=clock.now())

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Status and trial of one that is there are changed by the buttons."""
        fixed = super().get_readonly_fields(request, obj)
        return fixed if obj is None else (*fixed, "status", "trial_days", "trial_ends_at")

    @display(description="access", ordering="status", label=COLOURS)
    def access(self, client: Client) -> str:
        """What it may do now."""
        if client.lock() is not None:
            return "locked"
        return "on trial" if client.status == Client.Status.TRIAL else "open"

    @display(description="why it is locked")
    def why(self, client: Client) -> str:
        """The lock's own words."""
        lock = client.lock()
        return lock.detail if lock is not None else "–"

    @display(description="floors", ordering="floors_count")
    def floors(self, client: Any) -> str:
        """In use, of those that its plan has."""
        return f"{client.floors_count} of {client.floors_allowed}"

    @display(description="speakers online", ordering="devices_online")
    def speakers(self, client: Any) -> str:
        """How many are there."""
        return f"{client.devices_online} of {client.devices_count}"

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Client:
        """Its trial begins."""
        if values["status"] == Client.Status.TRIAL:
            del values["subscription_status"]  # a trial's follows from it
        return services.create_client(now=clock.now(), **values)

    def update_row(self, request: HttpRequest, row: Client, changes: dict[str, Any]) -> Client:
        """Columns that lock and open nothing."""
        return services.update_client(client=row, now=clock.now(), **changes)

    @confirmed("Let the trial of {row} run longer?", icon="more_time", form=DaysForm)
    def extend_trial(self, request: HttpRequest, client: Client, days: int) -> str:
        """From its end, or from now if it has ended."""
        changed = services.extend_trial(client=client, days=days, now=clock.now())
        return f"The trial runs until {changed.trial_ends_at:%Y-%m-%d %H:%M} UTC."

    @confirmed("Open {row}, with a subscription that is active?", icon="lock_open")
    def activate(self, request: HttpRequest, client: Client) -> str:
        """It may write and play."""
        services.update_client(client=client, now=clock.now(), status=Client.Status.ACTIVE)
        return f"{client} is open."

    @confirmed(
        "Suspend {row}? All its speakers fall silent at once; everything can still be read.",
        icon="lock",
        danger=True,
    )
    def suspend(self, request: HttpRequest, client: Client) -> str:
        """It may only read."""
        services.update_client(client=client, now=clock.now(), status=Client.Status.SUSPENDED)
        return f"{client} is suspended."

    @confirmed(
        "Ask for the deletion of {row}? Its speakers fall silent and its people cannot sign in, until it is confirmed"
        " or called off.",
        label="1. Ask for it",
        icon="delete",
    )
    def request_deletion(self, request: HttpRequest, client: Client) -> str:
        """The first step, which can be undone."""
        deletion.request_deletion(client=client, now=clock.now())
        return "It is locked. Confirm the deletion, or call it off."

    @confirmed(
        "Delete {row} with all its sounds, records and people? This cannot be undone. Type its name.",
        label="2. Confirm it",
        icon="delete_forever",
        danger=True,
        form=NameForm,
    )
    def confirm_deletion(self, request: HttpRequest, client: Client, name: str) -> str:
        """The second, which cannot."""
        deletion.confirm_deletion(client=client, name=name, now=clock.now())
        return "It is being deleted; the audit trail stays."

    @confirmed("Call off the deletion of {row}?", label="Call it off", icon="undo")
    def cancel_deletion(self, request: HttpRequest, client: Client) -> str:
        """Open again, as far as its status does."""
        deletion.cancel_deletion(client=client)
        return "It stays."
