"""Music in Django's admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from common import clock
from common.admin import StaffAdmin, audio_player, file_size, link_to, playing_time
from common.admin_filters import by_choice, by_row, by_time
from common.media_urls import media_url
from music import services
from music.models import MusicFile
from music.selectors import MEDIA_KIND


@admin.register(MusicFile)
class MusicFileAdmin(StaffAdmin):
    """The tracks of all businesses, by the API's services."""

    trail = "music"
    list_display = ("name", "artist", "album", link_to("client"), "length", "size", "status", "created_at")
    list_select_related = ("client",)
    list_filter = (by_row("client"), by_choice("status"), by_time("created_at"))
    search_fields = ("name", "artist", "album", "isrc", "client__name")
    ordering = ("-created_at",)
    autocomplete_fields = ("client",)
    readonly_fields = (
        "listen",
        "length",
        "size",
        "mime_type",
        "status",
        "failure_detail",
        "loudness_lufs",
        "true_peak_dbtp",
        "gain_db",
        "sha256",
        "created_at",
        "created_by",
    )
    TAGS = (("name", "artist"), ("album", "genre"), "isrc")
    fieldsets = (
        (None, {"fields": ("client", "listen", *TAGS)}),
        (
            "Measured",
            {
                "fields": (
                    ("status", "failure_detail"),
                    ("length", "size", "mime_type"),
                    ("loudness_lufs", "true_peak_dbtp", "gain_db"),
                    "sha256",
                )
            },
        ),
        ("Made", {"fields": (("created_at", "created_by"),)}),
    )
    add_fieldsets = ((None, {"fields": ("client", "file", *TAGS)}),)

    length = playing_time
    size = file_size

    @display(description="listen")
    def listen(self, music: MusicFile) -> str:
        """The track as it came."""
        return audio_player(media_url(MEDIA_KIND, music.pk, music.sha256, now=clock.now())[0])

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """A track without a name is named like its file."""
        form = super().get_form(request, obj, change, **kwargs)
        if obj is None:
            name: forms.Field = form.base_fields["name"]
            name.required = False
            name.help_text = "Empty: the title in the file, or else the file's name."
        return form

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> MusicFile:
        """If it is audio; the row is `processing` until it is measured."""
        owner: Any = request.user
        upload = values["file"]
        given = {name: values[name] for name in services.EDITABLE if values.get(name)}
        return services.upload_music(
            client=values["client"], created_by=owner, upload=upload, given=given, now=clock.now()
        )

    def update_row(self, request: HttpRequest, row: MusicFile, changes: dict[str, Any]) -> MusicFile:
        """Its name and tags."""
        return services.update_music(music=row, changes=changes)

    def delete_row(self, request: HttpRequest, row: MusicFile) -> None:
        """With its file."""
        row.delete()
