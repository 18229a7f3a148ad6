"""Plays as the API shows them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from common.serializers import TenantRelatedField
from devices.models import Device
from events.domain import ledger
from events.models import PlayEvent, PlayEventChange
from zones.models import Floor


class PlaySerializer(serializers.Serializer[Any]):
    """Where and how to play an announcement now. Name devices, floors, or all."""

    devices: Any = TenantRelatedField(queryset=Device._base_manager, many=True, required=False)
    floors: Any = TenantRelatedField(queryset=Floor._base_manager, many=True, required=False)
    all = serializers.BooleanField(
        required=False, default=False, help_text="Every device of the business that the caller may see."
    )
    volume = serializers.IntegerField(
        min_value=0,
        max_value=100,
        required=False,
        help_text="Else each device's own; within the floor's bounds.",
    )
    priority = serializers.ChoiceField(choices=ledger.ORDER_PRIORITY_CHOICES, default="instant")
    play_at = serializers.DateTimeField(
        required=False, help_text="At most 24 hours ahead; else as soon as all devices can start together."
    )
    override_quiet_hours = serializers.BooleanField(
        default=False, help_text="Play in quiet hours all the same; that is recorded."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuses a body that names nobody."""
        if not (attrs.get("devices") or attrs.get("floors") or attrs.get("all")):
            raise serializers.ValidationError("Name devices, floors, or all.", code="no_devices")
        return attrs


class OrderedEventSerializer(serializers.ModelSerializer[PlayEvent]):
    """One device of a play that was just ordered."""

    offline = serializers.BooleanField(
        source="waits_for_device", help_text="The device is offline: it is waited for until `expires_at`."
    )

    class Meta:
        model = PlayEvent
        fields = [
            "id",
            "device",
            "device_name",
            "floor",
            "status",
            "offline",
            "volume",
            "play_at",
            "expires_at",
        ]


class OrderedPlaySerializer(serializers.Serializer[Any]):
    """A play that is on its way: one event for each device."""

    play_id = serializers.UUIDField()
    play_at = serializers.DateTimeField(help_text="All online devices start at this instant.")
    devices = serializers.IntegerField(help_text="How many devices were told.")
    offline = serializers.IntegerField(help_text="How many of them are offline.")
    events = OrderedEventSerializer(many=True)


class PlayEventSerializer(serializers.ModelSerializer[PlayEvent]):
    """One announcement on one device, and what became of it."""

    created_by_name = serializers.CharField(source="created_by", read_only=True, allow_null=True)

    class Meta:
        model = PlayEvent
        fields = [
            "id",
            "play_id",
            "client",
            "announcement",
            "announcement_title",
            "device",
            "device_name",
            "floor",
            "floor_name",
            "event_type",
            "priority",
            "status",
            "reason",
            "error_message",
            "volume",
            "play_at",
            "expires_at",
            "created_at",
            "created_by",
            "created_by_name",
            "delivered_at",
            "started_at",
            "completed_at",
            "start_error_us",
            "played_ms",
        ]


class PlayEventChangeSerializer(serializers.ModelSerializer[PlayEventChange]):
    """One change of an event's state."""

    message = serializers.SerializerMethodField(help_text="The reason as a sentence.")

    class Meta:
        model = PlayEventChange
        fields = ["at", "status", "reason", "message", "source", "correction", "detail"]

    def get_message(self, change: PlayEventChange) -> str:
        """The sentence of the reason."""
        return ledger.REASONS.get(change.reason, "")


class PlayEventDetailSerializer(PlayEventSerializer):
    """One event with its whole history."""

    changes = PlayEventChangeSerializer(source="history", many=True, read_only=True)

    class Meta(PlayEventSerializer.Meta):
        fields = [*PlayEventSerializer.Meta.fields, "outcome", "late", "override_quiet_hours", "changes"]


class CancelSerializer(serializers.Serializer[Any]):
    """Takes back a whole play."""

    play_id = serializers.UUIDField()


class CancelledSerializer(serializers.Serializer[Any]):
    """What was taken back, and what had started or ended already."""

    cancelled = PlayEventSerializer(many=True)
    not_cancelled = PlayEventSerializer(many=True)


class TallySerializer(serializers.Serializer[Any]):
    """Numbers of plays."""

    completed = serializers.IntegerField()
    failed = serializers.IntegerField()
    open = serializers.IntegerField(help_text="Not ended yet.")
    unreached = serializers.IntegerField(help_text="Of `failed`: the speaker was away.")
    left_out = serializers.IntegerField(
        help_text="Of `failed`: somebody or a rule wanted it so, as in quiet hours."
    )


class DayTallySerializer(TallySerializer):
    """Those that were due on one local date."""

    day = serializers.DateField()


class DeviceTallySerializer(TallySerializer):
    """Those of one speaker."""

    device = serializers.IntegerField(allow_null=True, help_text="Null: it was removed.")
    device_name = serializers.CharField()


class ReasonTallySerializer(serializers.Serializer[Any]):
    """How many were not heard, or not whole, for one reason."""

    reason = serializers.CharField(help_text="Stable.")
    message = serializers.CharField(help_text="The reason as a sentence.")
    number = serializers.IntegerField()


class SummarySerializer(serializers.Serializer[Any]):
    """Plays in numbers. Days without a play are left out."""

    to = serializers.DateTimeField()
    timezone = serializers.CharField(help_text="In which days begin and end.")
    days = DayTallySerializer(many=True)
    devices = DeviceTallySerializer(many=True)
    reasons = ReasonTallySerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        """With `from`, which Python does not let stand as a name."""
        return {"from": serializers.DateTimeField(source="start")} | super().get_fields()
