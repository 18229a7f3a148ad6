"""Floors in Django's admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from common import clock
from common.admin import StaffAdmin, link_to
from common.admin_filters import by_row
from zones import services
from zones.models import Floor
from zones.selectors import with_device_counts


@admin.register(Floor)
class FloorAdmin(StaffAdmin):
    """The floors of all businesses, by the API's services."""

    trail = "floor"
    list_display = (
        "name",
        link_to("client"),
        "speakers",
        "zone",
        "quiet_hours",
        "default_volume",
        "is_premium",
    )
    list_select_related = ("client",)
    list_filter = (by_row("client"), "is_premium")
    search_fields = ("name", "description", "client__name")
    ordering = ("client__name", "name")
    autocomplete_fields = ("client",)
    readonly_fields = ("is_premium", "created_at", "created_by")
    fieldsets = (
        (None, {"fields": ("client", "name", "description", "timezone", "is_premium")}),
        ("Volume, 0 to 100", {"fields": (("default_volume", "min_volume", "max_volume"),)}),
        ("Quiet hours", {"fields": (("quiet_hours_start", "quiet_hours_end"),)}),
        ("Made", {"fields": (("created_at", "created_by"),)}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the counts of speakers."""
        return with_device_counts(super().get_queryset(request), now=clock.now())

    @display(description="speakers online", ordering="devices_online")
    def speakers(self, floor: Any) -> str:
        """How many of its speakers are there."""
        return f"{floor.devices_online} of {floor.devices_count}"

    @display(description="quiet hours", ordering="quiet_hours_start")
    def quiet_hours(self, floor: Floor) -> str:
        """On the floor's own clock."""
        if floor.quiet_hours_start is None or floor.quiet_hours_end is None:
            return "–"
        return f"{floor.quiet_hours_start:%H:%M} to {floor.quiet_hours_end:%H:%M}"

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Floor:
        """Within what the business's plan allows."""
        return services.create_floor(by=request.user, **values)  # type: ignore[arg-type]  # staff are signed in

    def update_row(self, request: HttpRequest, row: Floor, changes: dict[str, Any]) -> Floor:
        """Volumes and quiet hours have to fit."""
        return services.update_floor(floor=row, **changes)

    def delete_row(self, request: HttpRequest, row: Floor) -> None:
        """Its speakers and floor users stay."""
        services.delete_floor(floor=row)
