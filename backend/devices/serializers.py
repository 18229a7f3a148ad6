"""Speakers as the API shows them, and the bodies of what can be asked of them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from common import clock
from common.serializers import TenantRelatedField, TenantSerializer
from devices.desired import effective_volume
from devices.domain.pairing import CODE_LENGTH
from devices.models import HARDWARE_ID, Device, Outage
from devices.uptime import DeviceUptime, seconds_of
from zones.models import Floor


class DeviceSerializer(TenantSerializer[Device]):
    """A speaker. `volume` is what was asked for, `effective_volume` what its floor allows of it."""

    device_id = serializers.CharField(
        required=False,
        max_length=100,
        validators=[HARDWARE_ID],
        help_text="The hardware's own id; made up when left out.",
    )
    status = serializers.SerializerMethodField(help_text="Whether it was heard of within 45 seconds.")
    floor_name = serializers.CharField(source="floor.name", read_only=True, allow_null=True)
    effective_volume = serializers.SerializerMethodField()
    revoked = serializers.SerializerMethodField(help_text="True once its token was revoked.")

    class Meta:
        model = Device
        fields = [
            "id",
            "client",
            "name",
            "floor",
            "floor_name",
            "device_id",
            "status",
            "last_seen",
            "ip_address",
            "volume",
            "effective_volume",
            "muted",
            "output_delay_ms",
            "software",
            "clock_state",
            "clock_error_us",
            "revoked",
            "created_at",
        ]
        read_only_fields = [
            "last_seen",
            "ip_address",
            "software",
            "clock_state",
            "clock_error_us",
            "created_at",
        ]
        extra_kwargs = {
            "name": {"trim_whitespace": True},
            "output_delay_ms": {
                "max_value": 10_000,
                "help_text": "Installer's correction: sound leaves this many ms earlier (10 m of air: 29).",
            },
        }

    def get_status(self, device: Device) -> str:
        """`online` while the lease runs."""
        return Device.Status.ONLINE if device.is_online(clock.now()) else Device.Status.OFFLINE

    def get_effective_volume(self, device: Device) -> int:
        """The volume within the floor's bounds."""
        return effective_volume(device)

    def get_revoked(self, device: Device) -> bool:
        """Whether its token was revoked."""
        return device.revoked_at is not None


class NewDeviceSerializer(DeviceSerializer):
    """A device just made, with its token, which is shown this once."""

    token = serializers.CharField(read_only=True)

    class Meta(DeviceSerializer.Meta):
        fields = [*DeviceSerializer.Meta.fields, "token"]


class ClaimSerializer(serializers.Serializer[Any]):
    """Enters the code that a new speaker shows."""

    user_code = serializers.CharField(
        max_length=20, help_text=f"{CODE_LENGTH} letters; case, spaces and dashes do not matter."
    )
    name = serializers.CharField(max_length=255, required=False, default="")
    floor: Any = TenantRelatedField(queryset=Floor._base_manager, required=False, allow_null=True)


class VolumeSerializer(serializers.Serializer[Any]):
    """How loud a device should be. At least one of the two."""

    volume = serializers.IntegerField(min_value=0, max_value=100, required=False)
    muted = serializers.BooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuses a body that asks for nothing."""
        if not attrs:
            raise serializers.ValidationError("Give volume, muted, or both.", code="required")
        return attrs


class ControlSerializer(serializers.Serializer[Any]):
    """A command that the device carries out once."""

    action = serializers.ChoiceField(
        choices=["play", "pause", "stop", "next", "identify", "restart", "refetch"]
    )


class TestToneSerializer(serializers.Serializer[Any]):
    """A sine to find a speaker by, or to test its wiring."""

    hz = serializers.IntegerField(min_value=20, max_value=20_000, default=440)
    ms = serializers.IntegerField(min_value=50, max_value=10_000, default=1_000)


class CommandSerializer(serializers.Serializer[Any]):
    """A command that is on its way; `status/` shows its result under `last_command`."""

    command_id = serializers.CharField()


class DesiredSerializer(serializers.Serializer[Any]):
    """What the server wants the device to be; a higher `rev` is newer."""

    rev = serializers.IntegerField()
    volume = serializers.IntegerField()
    muted = serializers.BooleanField()
    output_delay_ms = serializers.IntegerField()
    silenced = serializers.BooleanField(help_text="The business is locked: only emergencies sound.")


class DeviceStatusSerializer(serializers.Serializer[Any]):
    """Desired beside reported: how a device is, and how it should be."""

    id = serializers.IntegerField()
    device_id = serializers.CharField()
    status = serializers.ChoiceField(choices=Device.Status.choices)
    last_seen = serializers.DateTimeField(allow_null=True)
    desired = DesiredSerializer()
    applied_rev = serializers.IntegerField(help_text="The desired state that the device has applied.")
    in_sync = serializers.BooleanField(help_text="Whether the device has applied the newest desired state.")
    reported = serializers.JSONField(help_text="What the device last said of itself (protocol v1).")
    software = serializers.CharField()
    capabilities = serializers.ListField(child=serializers.CharField())
    protocol = serializers.ChoiceField(choices=["v1", "plain"])


class TokenSerializer(serializers.Serializer[Any]):
    """A device's token, shown this once."""

    token = serializers.CharField()


class StartPairingSerializer(serializers.Serializer[Any]):
    """A new speaker introduces itself."""

    hardware_id = serializers.CharField(max_length=100, validators=[HARDWARE_ID])
    name = serializers.CharField(max_length=255, required=False, default="")
    software = serializers.CharField(max_length=120, required=False, default="")


class StartedPairingSerializer(serializers.Serializer[Any]):
    """RFC 8628 §3.2: show `user_code`, poll with `device_code` every `interval` seconds."""

    device_code = serializers.CharField()
    user_code = serializers.CharField()
    verification_uri = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds.")
    interval = serializers.IntegerField(help_text="Seconds.")


class PollPairingSerializer(serializers.Serializer[Any]):
    """The secret that `pair/` answered with."""

    device_code = serializers.CharField(max_length=100)


class DeviceSelfSerializer(serializers.Serializer[Any]):
    """What a device knows of itself."""

    id = serializers.IntegerField()
    device_id = serializers.CharField()
    name = serializers.CharField()
    business = serializers.CharField(help_text="The business's name, for people to read.")
    floor = serializers.CharField(help_text="The floor's name; empty without one.")
    ws_path = serializers.CharField()
    plan_url = serializers.CharField()


class PairedSerializer(DeviceSelfSerializer):
    """A paired device, with its token, shown this once."""

    token = serializers.CharField()


class TicketSerializer(serializers.Serializer[Any]):
    """A single-use ticket: offer the subprotocols `sync2gear.v1` and `ticket.<ticket>`."""

    ticket = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds.")


class SecondsField(serializers.IntegerField):
    """Microseconds as whole seconds."""

    def to_representation(self, value: int) -> int:
        """Rounded down, so that what was there all the time is shown so."""
        return value // 1_000_000


class UptimeSerializer(serializers.Serializer[Any]):
    """How much of the time one speaker was there."""

    device = serializers.IntegerField(source="device.pk")
    device_name = serializers.CharField(source="device.name")
    floor = serializers.IntegerField(source="device.floor_id", allow_null=True)
    floor_name = serializers.CharField(source="device.floor.name", allow_null=True, default=None)
    share = serializers.FloatField(
        source="uptime.share", allow_null=True, help_text="0 to 1. Null: none of the time counts."
    )
    counted_s = SecondsField(source="uptime.counted", help_text="Seconds that count.")
    away_s = SecondsField(source="uptime.away", help_text="Of those, seconds that it was away.")
    outages = serializers.IntegerField(source="uptime.outages", help_text="How often it was away.")
    longest_s = SecondsField(source="uptime.longest", help_text="Seconds of the longest outage.")
    counted_parts_s = serializers.SerializerMethodField(help_text="`counted_s` of each part.")
    away_parts_s = serializers.SerializerMethodField(help_text="`away_s` of each part.")

    def get_counted_parts_s(self, row: DeviceUptime) -> list[int]:
        """Whole seconds."""
        return [counted // 1_000_000 for counted, _ in row.uptime.parts]

    def get_away_parts_s(self, row: DeviceUptime) -> list[int]:
        """Whole seconds."""
        return [away // 1_000_000 for _, away in row.uptime.parts]


class OutageSerializer(serializers.ModelSerializer[Outage]):
    """A time in which a speaker was away."""

    seconds = serializers.SerializerMethodField(
        help_text="How long, without the time in which the server itself heard nobody."
    )

    class Meta:
        model = Outage
        fields = ["id", "started_at", "ended_at", "seconds"]

    def get_seconds(self, outage: Outage) -> int:
        """Whole seconds, until now if it is away still."""
        return seconds_of(outage, self.context["heard"], now=self.context["now"])
