"""The ledger of plays in Django's admin: to be read, and to be searched for the reason why."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from common import clock
from common.admin import PartsInline, StaffAdmin, confirmed, link_to
from common.admin_filters import by_choice, by_row, by_time
from common.errors import Refusal
from events import services
from events.domain import ledger
from events.models import PlayEvent, PlayEventChange

COLOURS = {
    "Pending": "info",
    "Delivered": "info",
    "Playing": "warning",
    "Completed": "success",
    "Failed": "danger",
}


class ChangeInline(PartsInline):
    """Its history, by its own account."""

    model = PlayEventChange
    fields = ("at", "status", "reason", "source", "correction", "detail")


@admin.register(PlayEvent)
class PlayEventAdmin(StaffAdmin):
    """Every announcement on every speaker. Rows are written by the ledger alone; a play can be taken back."""

    list_display = (
        "announcement_title",
        link_to("client"),
        "floor_name",
        "device_name",
        "state",
        "reason",
        "event_type",
        "priority",
        "play_at",
        "completed_at",
    )
    list_select_related = ("client",)
    list_filter = (
        by_row("client"),
        by_choice("status"),
        by_choice("event_type"),
        by_choice("priority"),
        by_row("device"),
        by_time("play_at"),
    )
    search_fields = ("announcement_title", "device_name", "floor_name", "reason")
    ordering = ("-created_at", "-id")
    paginator = InfinitePaginator
    fieldsets = (
        (None, {"fields": ("client", ("announcement", "announcement_title"), ("device", "device_name"))}),
        (
            "Where and how",
            {"fields": (("floor", "floor_name"), ("event_type", "priority"), ("volume", "duck_db"))},
        ),
        ("What became of it", {"fields": (("status", "reason"), "error_message", ("outcome", "played_ms"))}),
        (
            "When",
            {
                "fields": (
                    ("created_at", "created_by"),
                    ("play_at", "expires_at"),
                    ("delivered_at", "started_at", "completed_at"),
                    "start_error_us",
                )
            },
        ),
        ("Identity", {"fields": (("id", "play_id"),)}),
    )
    inlines = (ChangeInline,)
    actions_detail = ("cancel",)

    @display(description="status", ordering="status", label=COLOURS)
    def state(self, event: Any) -> str:
        """Where it stands."""
        return str(event.get_status_display())

    @confirmed("Take back {row}? What has started already is not stopped.", icon="cancel", danger=True)
    def cancel(self, request: HttpRequest, event: PlayEvent) -> str:
        """If it has not started."""
        if event.status in ledger.TERMINAL:
            raise Refusal("already_ended", "It has ended already.")
        if not services.cancel_events(events=[event], now=clock.now()):
            raise Refusal("already_started", "It has started already.")
        return "It was taken back, and the speaker told."
