"""Announcements in Django's admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget

from announcements import services
from announcements.models import Announcement
from announcements.selectors import MEDIA_KIND
from common import clock
from common.admin import StaffAdmin, StaffForm, audio_player, link_to, playing_time
from common.admin_filters import by_choice, by_row, by_time
from common.media_urls import media_url


class AnnouncementForm(StaffForm):
    """Words to be spoken, or a sound."""

    file = forms.FileField(
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text="The sound of an uploaded or recorded one.",
    )

    def clean(self) -> dict[str, Any]:
        """A new one has exactly what its type needs."""
        values = super().clean()
        if self.instance.pk is None and "type" in values:
            spoken = values["type"] == Announcement.Type.TTS
            needed = "text" if spoken else "file"
            if not values.get(needed):
                self.add_error(needed, f"An announcement of type {values['type']} needs it.")
            for name in ("file",) if spoken else services.SPOKEN:
                if values.get(name):
                    self.add_error(name, f"An announcement of type {values['type']} has none.")
        return values


@admin.register(Announcement)
class AnnouncementAdmin(StaffAdmin):
    """The announcements of all businesses, by the API's services."""

    trail = "announcement"
    form = AnnouncementForm
    list_display = (
        "title",
        link_to("client"),
        "type",
        "status",
        "enabled",
        "category",
        "length",
        "valid_from",
        "valid_until",
        "created_at",
    )
    list_select_related = ("client",)
    list_filter = (
        by_row("client"),
        by_choice("type"),
        by_choice("status"),
        "enabled",
        by_time("created_at"),
    )
    search_fields = ("title", "text", "category", "client__name")
    ordering = ("-created_at",)
    autocomplete_fields = ("client",)
    readonly_fields = (
        "listen",
        "length",
        "lead_in_ms",
        "status",
        "failure_detail",
        "spoken_by",
        "loudness_lufs",
        "true_peak_dbtp",
        "sha256",
        "created_at",
        "created_by",
        "updated_at",
    )
    VALIDITY = (("valid_from", "valid_until"),)
    fieldsets = (
        (None, {"fields": ("client", ("title", "type"), "listen", ("category", "enabled"))}),
        ("Words", {"fields": ("text", ("voice", "language"), ("chime", "spoken_by"))}),
        ("When schedules may choose it", {"fields": VALIDITY}),
        (
            "Measured",
            {
                "fields": (
                    ("status", "failure_detail"),
                    ("length", "lead_in_ms"),
                    ("loudness_lufs", "true_peak_dbtp"),
                    "sha256",
                )
            },
        ),
        ("Made", {"fields": (("created_at", "created_by", "updated_at"),)}),
    )
    add_fieldsets = (
        (None, {"fields": ("client", ("title", "type"), ("category", "enabled"))}),
        ("Words, for the type Text-to-Speech", {"fields": ("text", ("voice", "language"))}),
        ("Sound, for the others", {"fields": ("file",)}),
        ("Before the words", {"fields": ("chime",)}),
        ("When schedules may choose it", {"fields": VALIDITY}),
    )

    length = playing_time

    @display(description="listen")
    def listen(self, announcement: Announcement) -> str:
        """The sound as it is played, once there is one."""
        if not announcement.playable:
            return "–"
        link, _ = media_url(MEDIA_KIND, announcement.pk, announcement.sha256, now=clock.now())
        return audio_player(link)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A sound stays what it is; only one that is spoken has words to change."""
        fixed = super().get_readonly_fields(request, obj)
        if obj is None:
            return fixed
        return (*fixed, "type") if obj.type == Announcement.Type.TTS else (*fixed, "type", *services.SPOKEN)

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Announcement:
        """Spoken or normalised by a job."""
        by: Any = request.user
        client, kind, upload = values.pop("client"), values.pop("type"), values.pop("file")
        if kind == Announcement.Type.TTS:
            return services.generate_announcement(
                client=client, created_by=by, fields=values, now=clock.now()
            )
        fields = {name: value for name, value in values.items() if name not in services.SPOKEN}
        return services.upload_announcement(
            client=client, created_by=by, type=kind, upload=upload, fields=fields, now=clock.now()
        )

    def update_row(self, request: HttpRequest, row: Announcement, changes: dict[str, Any]) -> Announcement:
        """Other words and another chime are prepared anew."""
        return services.update_announcement(announcement=row, changes=changes, now=clock.now())

    def delete_row(self, request: HttpRequest, row: Announcement) -> None:
        """With its sound; the plays stay on record."""
        row.delete()
