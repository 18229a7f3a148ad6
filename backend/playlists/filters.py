"""Filters of the list of playlists."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from common.filters import TenantFilterSet
from playlists.models import ChannelPlaylist, ChannelPlaylistFloor


class ChannelPlaylistFilter(TenantFilterSet):
    """`?floor=3&enabled=true`."""

    floor = filters.NumberFilter(method="on_floor", label="Id of a floor to which it is assigned.")
    enabled = filters.BooleanFilter()

    def on_floor(
        self, playlists: QuerySet[ChannelPlaylist], name: str, value: Any
    ) -> QuerySet[ChannelPlaylist]:
        """Those assigned to this floor, if the caller may see it."""
        return playlists.filter(
            pk__in=ChannelPlaylistFloor.objects.filter(floor_id=value).values("playlist_id")
        )
