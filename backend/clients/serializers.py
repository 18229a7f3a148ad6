"""A business as its own people see it, and as sync2gear's staff do."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from clients.domain import access
from clients.models import LONGEST_GAP, Client
from clients.selectors import floors_used

LONGEST_TRIAL = 365
"""Days."""
MOST_FLOORS = 10_000
MOST_CREDITS = 1_000_000_000


class LockSerializer(serializers.Serializer[Any]):
    """Why a business may read but not write or play."""

    code = serializers.CharField(help_text="`trial_ended`, `client_suspended` or `client_deleting`.")
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


class ClientSerializer(OwnClientSerializer):
    """A business as sync2gear's staff keep it."""

    name = serializers.CharField(max_length=255, required=False, help_text="Left out: the business name.")
    email = serializers.EmailField(help_text="Used by one business only, in any case.")
    subscription_status = serializers.ChoiceField(
        choices=access.SUBSCRIPTIONS,
        required=False,
        help_text="For staff to read; what the business may do, `status` decides. A new status of `active` or `trial`"
        " brings it along.",
    )
    subscription_price = serializers.DecimalField(
        max_digits=10, decimal_places=2, min_value=0, required=False, help_text="US dollars a month."
    )
    trial_days = serializers.IntegerField(
        min_value=1, max_value=LONGEST_TRIAL, required=False, help_text="How long its first trial runs."
    )
    trial_ends_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="null: a trial without an end."
    )
    ai_credits = serializers.IntegerField(min_value=0, max_value=MOST_CREDITS, required=False)
    max_floors = serializers.IntegerField(
        min_value=1,
        max_value=MOST_FLOORS,
        required=False,
        help_text="Holds when `multi_floor_enabled`, else it is one. Floors above it stay, but no more can be made.",
    )
    announcement_gap_minutes = serializers.IntegerField(
        min_value=0, max_value=LONGEST_GAP, required=False, help_text="The business sets it itself."
    )
    floors_count = serializers.IntegerField(read_only=True)
    devices_count = serializers.IntegerField(read_only=True)
    devices_online = serializers.IntegerField(read_only=True)
    users_count = serializers.IntegerField(read_only=True)

    floors_used = None  # type: ignore[assignment]  # a query for each row: `floors_count` says it

    class Meta:
        model = Client
        fields = [
            "id",
            "name",
            "business_name",
            "email",
            "telephone",
            "description",
            "timezone",
            "status",
            "lock",
            "trial_days",
            "trial_ends_at",
            "subscription_status",
            "subscription_price",
            "stripe_customer_id",
            "stripe_subscription_id",
            "ai_credits",
            "multi_floor_enabled",
            "max_floors",
            "floors_allowed",
            "announcement_gap_minutes",
            "floors_count",
            "devices_count",
            "devices_online",
            "users_count",
            "deletion_requested_at",
            "deletion_confirmed_at",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["deletion_requested_at", "deletion_confirmed_at", "created_at", "updated_at"]


class TrialExtensionSerializer(serializers.Serializer[Any]):
    """How much longer a trial runs."""

    days = serializers.IntegerField(min_value=1, max_value=LONGEST_TRIAL)


class DeletionSerializer(serializers.ModelSerializer[Client]):
    """How far the deletion of a business is, and what comes next."""

    detail = serializers.SerializerMethodField(help_text="What to do, or what happens now, for a person.")
    confirm_url = serializers.SerializerMethodField(
        help_text='POST `{"name": …}` there. null: it is confirmed.'
    )
    cancel_url = serializers.SerializerMethodField(
        help_text="POST there to call it off. null: it is confirmed."
    )

    class Meta:
        model = Client
        fields = [
            "id",
            "name",
            "deletion_requested_at",
            "deletion_confirmed_at",
            "detail",
            "confirm_url",
            "cancel_url",
        ]
        read_only_fields = fields

    def get_detail(self, client: Client) -> str:
        """A sentence."""
        if client.deletion_confirmed_at is not None:
            return f"{client.name} is being deleted with all its sounds and records. The audit trail stays."
        return (
            f"{client.name} is locked: its speakers are silent and its people cannot sign in. To delete it for good,"
            f" confirm with its name, {client.name.strip()}."
        )

    def get_confirm_url(self, client: Client) -> str | None:
        """Where to confirm."""
        return self._url("client-confirm-deletion", client)

    def get_cancel_url(self, client: Client) -> str | None:
        """Where to call it off."""
        return self._url("client-cancel-deletion", client)

    def _url(self, route: str, client: Client) -> str | None:
        return None if client.deletion_confirmed_at is not None else reverse(route, args=[client.pk])


class ConfirmationSerializer(serializers.Serializer[Any]):
    """What makes sure that the right business is meant."""

    name = serializers.CharField(max_length=255, help_text="The business's `name`, letter by letter.")
