"""Filters of the list of announcements."""

from __future__ import annotations

from django_filters import rest_framework as filters

from announcements.models import Announcement
from common.filters import TenantFilterSet
from common.media_fields import Readiness


class AnnouncementFilter(TenantFilterSet):
    """Exact values; a category in any case."""

    type = filters.ChoiceFilter(choices=Announcement.Type.choices)
    status = filters.ChoiceFilter(choices=Readiness.choices)
    enabled = filters.BooleanFilter()
    category = filters.CharFilter(lookup_expr="iexact")
