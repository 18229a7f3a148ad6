"""Filters of the list of music."""

from __future__ import annotations

from django_filters import rest_framework as filters

from common.filters import TenantFilterSet
from common.media_fields import Readiness


class MusicFilter(TenantFilterSet):
    """Artist, album and genre whole, in any case; for parts of words there is `search`."""

    artist = filters.CharFilter(lookup_expr="iexact")
    album = filters.CharFilter(lookup_expr="iexact")
    genre = filters.CharFilter(lookup_expr="iexact")
    status = filters.ChoiceFilter(choices=Readiness.choices)
