"""Schedules and stops in Django's admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from common import clock
from common.admin import PartsInline, StaffAdmin, StaffForm, confirmed, link_to
from common.admin_filters import by_choice, by_row, by_time
from schedules import services
from schedules.models import (
    FloorStop,
    Schedule,
    ScheduleAnnouncement,
    ScheduleDevice,
    ScheduleException,
    ScheduleFloor,
)
from schedules.services import Parts

WEEKDAYS = (
    (1, "Monday"),
    (2, "Tuesday"),
    (3, "Wednesday"),
    (4, "Thursday"),
    (5, "Friday"),
    (6, "Saturday"),
    (7, "Sunday"),
)


class ScheduleForm(StaffForm):
    """The columns of a schedule."""

    active_days = forms.TypedMultipleChoiceField(
        coerce=int,
        choices=WEEKDAYS,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="None: every day.",
    )


class EntryInline(PartsInline):
    """What it says."""

    model = ScheduleAnnouncement
    fields = ("order", "announcement", "timestamp_seconds")

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the titles."""
        return super().get_queryset(request).select_related("announcement")


class FloorInline(PartsInline):
    """The floors that it fires on."""

    model = ScheduleFloor
    fields = ("floor",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the names."""
        return super().get_queryset(request).select_related("floor__client")


class DeviceInline(PartsInline):
    """The speakers that it fires on by name."""

    model = ScheduleDevice
    fields = ("device",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the names."""
        return super().get_queryset(request).select_related("device")


class ExceptionInline(PartsInline):
    """The dates on which it does not fire."""

    model = ScheduleException
    fields = ("first_date", "last_date", "note")


@admin.register(Schedule)
class ScheduleAdmin(StaffAdmin):
    """The schedules of all businesses. Their lists are shown; the API and the dashboard change them."""

    trail = "schedule"
    form = ScheduleForm
    list_display = (
        "name",
        link_to("client"),
        "enabled",
        "schedule_type",
        "period",
        "days",
        "planned_until",
        "updated_at",
    )
    list_select_related = ("client",)
    list_filter = (by_row("client"), "enabled", by_choice("schedule_type"), by_time("updated_at"))
    search_fields = ("name", "client__name")
    ordering = ("client__name", "name")
    readonly_fields = ("planned_until", "created_at", "created_by", "updated_at")
    fieldsets = (
        (None, {"fields": ("client", ("name", "enabled"), "schedule_type")}),
        (
            "Minutes",
            {"fields": (("interval_minutes", "cycle_duration_minutes"), "avoid_repeat")},
        ),
        ("When", {"fields": ("active_days", ("quiet_hours_start", "quiet_hours_end"))}),
        ("Made", {"fields": (("planned_until", "created_at"), ("created_by", "updated_at"))}),
    )
    inlines = (EntryInline, FloorInline, DeviceInline, ExceptionInline)
    actions_detail = ("toggle",)

    @display(description="minutes")
    def period(self, schedule: Schedule) -> int | None:
        """Between two announcements, or of a cycle."""
        if schedule.schedule_type == Schedule.Type.INTERVAL:
            return schedule.interval_minutes
        return schedule.cycle_duration_minutes

    @display(description="days")
    def days(self, schedule: Schedule) -> str:
        """The weekdays on which it fires."""
        names = dict(WEEKDAYS)
        return " ".join(names[day][:2] for day in schedule.active_days if day in names) or "every day"

    def update_row(self, request: HttpRequest, row: Schedule, changes: dict[str, Any]) -> Schedule:
        """What fires soon and does no more is taken back."""
        return services.update_schedule(schedule=row, parts=Parts(), now=clock.now(), **changes)

    def delete_row(self, request: HttpRequest, row: Schedule) -> None:
        """What it has played stays on record."""
        services.delete_schedule(schedule=row, now=clock.now())

    @confirmed("Switch {row} off, or on again if it is off?", label="Switch", icon="power_settings_new")
    def toggle(self, request: HttpRequest, schedule: Schedule) -> str:
        """Off, or on."""
        now_on = services.toggle_schedule(schedule=schedule, now=clock.now()).enabled
        return f"{schedule} is {'on' if now_on else 'off'}."


@admin.register(FloorStop)
class FloorStopAdmin(StaffAdmin):
    """Floors that were told to be silent. A stop is lifted, never changed or removed: the past stays explained."""

    trail = "floor_stop"
    list_display = (link_to("floor"), "starts_at", "until", "created_by")
    list_display_links = ("starts_at",)
    list_select_related = ("floor__client", "created_by")
    list_filter = (by_row("floor"), by_time("starts_at"))
    search_fields = ("floor__name", "floor__client__name")
    ordering = ("-starts_at",)
    autocomplete_fields = ("floor",)
    fields = ("floor", "until")
    readonly_fields = ("starts_at", "created_by")
    actions_detail = ("lift",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who and since when, once it is there."""
        return self.fields if obj is None else (*self.fields, "starts_at", "created_by")

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> FloorStop:
        """From now on; a floor that is stopped already is stopped until then instead."""
        return services.stop_floor(by=request.user, now=clock.now(), **values)  # type: ignore[arg-type]  # staff are signed in

    @confirmed("Lift this stop ({row})? The music is back where it would be without it.", icon="volume_up")
    def lift(self, request: HttpRequest, stop: FloorStop) -> str:
        """Music and schedules sound again."""
        resumed = services.resume_floor(floor=stop.floor, now=clock.now())
        return "The stop was lifted." if resumed else "It had ended already."
