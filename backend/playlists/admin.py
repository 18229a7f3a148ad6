"""Channel playlists, programmes and the licence log in Django's admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from common.admin import PartsInline, StaffAdmin, link_to
from common.admin_filters import by_row, by_time
from playlists import services
from playlists.models import (
    ChannelPlaylist,
    ChannelPlaylistFloor,
    ChannelPlaylistItem,
    MusicPlay,
    ProgrammeRevision,
)


class ItemInline(PartsInline):
    """What it plays."""

    model = ChannelPlaylistItem
    fields = ("order", "item_type", "music_file", "announcement", "interval_minutes")
    per_page = 50

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the names of the sounds."""
        return super().get_queryset(request).select_related("music_file", "announcement")


class AssignmentInline(PartsInline):
    """Where it plays."""

    model = ChannelPlaylistFloor
    fields = ("floor", "priority")
    per_page = 50

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the names of the floors."""
        return super().get_queryset(request).select_related("floor__client")


@admin.register(ChannelPlaylist)
class ChannelPlaylistAdmin(StaffAdmin):
    """The playlists of all businesses. Their lists are shown; the API and the dashboard change them."""

    trail = "channel_playlist"
    list_display = (
        "name",
        link_to("client"),
        "enabled",
        "length",
        "floors",
        "shuffle_music",
        "default_announcement_interval",
        "updated_at",
    )
    list_select_related = ("client",)
    list_filter = (by_row("client"), "enabled", by_time("updated_at"))
    search_fields = ("name", "description", "client__name")
    ordering = ("client__name", "name")
    autocomplete_fields = ("client",)
    readonly_fields = ("created_at", "created_by", "updated_at")
    fieldsets = (
        (None, {"fields": ("client", ("name", "enabled"), "description")}),
        (
            "Minutes",
            {"fields": (("default_music_interval", "default_announcement_interval"),)},
        ),
        ("Order", {"fields": (("shuffle_music", "shuffle_announcements"),)}),
        ("Quiet hours", {"fields": (("quiet_hours_start", "quiet_hours_end"),)}),
        ("Made", {"fields": (("created_at", "created_by", "updated_at"),)}),
    )
    inlines = (AssignmentInline, ItemInline)

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the lengths of their lists."""
        rows = super().get_queryset(request)
        return rows.annotate(
            items_count=Count("items", distinct=True), floors_count=Count("assignments", distinct=True)
        )

    @display(description="items", ordering="items_count")
    def length(self, playlist: Any) -> int:
        """How many tracks and announcements it has."""
        return int(playlist.items_count)

    @display(description="floors", ordering="floors_count")
    def floors(self, playlist: Any) -> int:
        """On how many it is."""
        return int(playlist.floors_count)

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> ChannelPlaylist:
        """Silent until it has items."""
        return services.create_playlist(by=request.user, **values)  # type: ignore[arg-type]  # staff are signed in

    def update_row(
        self, request: HttpRequest, row: ChannelPlaylist, changes: dict[str, Any]
    ) -> ChannelPlaylist:
        """The programmes of its floors follow."""
        return services.update_playlist(playlist=row, **changes)

    def delete_row(self, request: HttpRequest, row: ChannelPlaylist) -> None:
        """Its floors play what else they have."""
        services.delete_playlist(playlist=row)


@admin.register(ProgrammeRevision)
class ProgrammeRevisionAdmin(StaffAdmin):
    """What each floor's programme was made of, and since when. Written by the tick alone."""

    list_display = (link_to("floor"), "effective_at", "created_at")
    list_display_links = ("effective_at",)
    list_select_related = ("floor__client",)
    list_filter = (by_row("floor"), by_time("effective_at"))
    search_fields = ("floor__name", "floor__client__name")
    ordering = ("-pk",)
    fields = ("floor", ("effective_at", "created_at"), "content")


@admin.register(MusicPlay)
class MusicPlayAdmin(StaffAdmin):
    """What was heard, by the speakers' own reports: a record, so nobody writes it."""

    list_display = (
        "title",
        "artist",
        "isrc",
        link_to("client"),
        "floor_name",
        "device_name",
        "started_at",
        "heard_until",
        "sounding",
    )
    list_select_related = ("client",)
    list_filter = (by_row("client"), by_row("device"), "sounding", by_time("started_at"))
    search_fields = ("title", "artist", "isrc", "device_name", "floor_name")
    ordering = ("-pk",)
    paginator = InfinitePaginator
    fields = (
        "client",
        ("floor", "floor_name"),
        ("device", "device_name"),
        ("title", "artist"),
        ("album", "isrc"),
        "music_file",
        ("started_at", "heard_until", "ends_at", "sounding"),
        ("segment", "report_id"),
    )
