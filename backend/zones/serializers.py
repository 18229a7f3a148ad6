"""Floors in bodies and answers."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from common.serializers import TenantSerializer
from zones.models import Floor


class FloorSerializer(TenantSerializer[Floor]):
    """A floor (zone) of a business. Volumes 0–100; quiet hours are `[start, end)` on the floor's own clock."""

    effective_timezone = serializers.CharField(
        source="zone", read_only=True, help_text="The zone in force: the floor's own, else the business's."
    )
    devices_count = serializers.IntegerField(read_only=True)
    devices_online = serializers.IntegerField(read_only=True)
    created_by_name = serializers.CharField(source="created_by", read_only=True, allow_null=True)

    class Meta:
        model = Floor
        fields = [
            "id",
            "client",
            "name",
            "description",
            "is_premium",
            "timezone",
            "effective_timezone",
            "default_volume",
            "min_volume",
            "max_volume",
            "quiet_hours_start",
            "quiet_hours_end",
            "devices_count",
            "devices_online",
            "created_at",
            "created_by",
            "created_by_name",
        ]
        read_only_fields = ["is_premium", "created_at", "created_by"]
        extra_kwargs = {"timezone": {"help_text": "IANA, like Europe/London; empty: the business's."}}
        validators: ClassVar[list[Any]] = []  # a name in use is told on `name`, by the service
