"""A business as its own people see it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from clients.models import LONGEST_GAP, Client
from clients.selectors import floors_used


class LockSerializer(serializers.Serializer[Any]):
    """Why a business may read but not write or play."""

    code = serializers.CharField(help_text="`trial_ended` or `client_suspended`.")
    detail = serializers.CharField(help_text="A sentence for a person.")


class OwnClientSerializer(serializers.ModelSerializer[Client]):
    """The business of the person who asks: its plan, its trial and what is left."""

    lock = serializers.SerializerMethodField(help_text="null: the business is open.")
    floors_allowed = serializers.IntegerField(read_only=True)
    floors_used = serializers.SerializerMethodField()

    class Meta:
        model = Client
        fields = [
            "id",
            "name",
            "business_name",
            "status",
            "trial_ends_at",
            "timezone",
            "ai_credits",
            "lock",
            "floors_allowed",
            "floors_used",
        ]
        read_only_fields = fields

    @extend_schema_field(LockSerializer(allow_null=True))
    def get_lock(self, client: Client) -> dict[str, str] | None:
        """The lock at this instant."""
        lock = client.lock()
        return {"code": lock.code, "detail": lock.detail} if lock else None

    def get_floors_used(self, client: Client) -> int:
        """How many floors the business has."""
        return floors_used(client)


class BusinessSerializer(OwnClientSerializer):
    """A business and what its admins set for it."""

    announcement_gap_minutes = serializers.IntegerField(
        min_value=0,
        max_value=LONGEST_GAP,
        required=False,
        help_text="Of two scheduled announcements on a floor that start nearer than this one plays; 0: no such rule.",
    )

    class Meta(OwnClientSerializer.Meta):
        fields = [
            *OwnClientSerializer.Meta.fields,
            "email",
            "telephone",
            "description",
            "announcement_gap_minutes",
        ]
        read_only_fields = [
            "id",
            "business_name",
            "email",
            "status",
            "trial_ends_at",
            "ai_credits",
            "lock",
            "floors_allowed",
            "floors_used",
        ]
