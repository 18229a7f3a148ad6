"""Speakers, and the pairings by which they get in."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q

from audit.services import audited
from clients.models import open_at
from common import clock
from common.tenancy import TenantManager, TenantQuerySet
from devices.protocol import LEASE_S
from zones.models import VOLUME

LEASE = timedelta(seconds=LEASE_S)


def lease_runs(last_seen: datetime | None, now: datetime) -> bool:
    """Whether a device that was last seen then is online."""
    return last_seen is not None and last_seen > now - LEASE


HARDWARE_ID = RegexValidator(
    r"^[A-Za-z0-9._:-]{1,100}$", "Use 1 to 100 letters, digits, dots, colons, dashes and underscores."
)


class DeviceQuerySet(TenantQuerySet["Device"]):
    """Speakers; a floor user sees those of their own floor."""

    floor_path = "floor_id"

    def online(self, now: datetime) -> DeviceQuerySet:
        """Those whose lease runs at `now`."""
        return self.filter(last_seen__gt=now - LEASE)

    def offline(self, now: datetime) -> DeviceQuerySet:
        """Those whose lease has run out, or that never called."""
        return self.exclude(last_seen__gt=now - LEASE)

    def lock_may_differ(self, now: datetime) -> DeviceQuerySet:
        """Those of businesses that may be locked at `now` and were not told, and those that were told."""
        open_now = open_at(now, path="client__")
        return self.filter(Q(silenced=True) & open_now | Q(silenced=False) & ~open_now)


@audited(
    "device",
    ignore=(
        "status",
        "last_seen",
        "first_seen",
        "ip_address",
        "silenced",
        "told_away",
        "reported",
        "applied_rev",
        "boot_id",
        "session_id",
        "software",
        "capabilities",
        "plan_etag",
        "clock_state",
        "clock_error_us",
        "round_trip_us",
        "required_lead_ms",
        "plain",
        "token_used_at",
    ),
    secret=("token_hash", "next_token_hash"),
)
class Device(models.Model):
    """A speaker. Presence is a lease (`last_seen` within 45 s); `status` is its last recorded change.

    `volume`, `muted` and `output_delay_ms` are desired state, numbered by `desired_rev`; `reported` is what
    the speaker last said of itself and `applied_rev` the desired state it has applied. `silenced` says whether
    that revision told of a locked business. `told_away` is what webhooks last heard: that nobody hears of it. Its
    outages count from `first_seen` on.
    """

    class Status(models.TextChoices):
        """Whether the lease runs."""

        ONLINE = "online", "Online"
        OFFLINE = "offline", "Offline"

    name = models.CharField(max_length=255)
    client = models.ForeignKey("clients.Client", on_delete=models.CASCADE, related_name="devices")
    floor = models.ForeignKey(
        "zones.Floor", on_delete=models.SET_NULL, null=True, blank=True, related_name="devices"
    )
    device_id = models.CharField(max_length=100, unique=True, validators=[HARDWARE_ID])
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.OFFLINE)
    ip_address = models.GenericIPAddressField(null=True, blank=True)

    volume = models.IntegerField(default=75, validators=VOLUME)
    muted = models.BooleanField(default=False)
    output_delay_ms = models.PositiveIntegerField(default=0)
    desired_rev = models.PositiveBigIntegerField(default=1)
    silenced = models.BooleanField(default=False)
    told_away = models.BooleanField(default=True)

    applied_rev = models.PositiveBigIntegerField(default=0)
    reported = models.JSONField(default=dict, blank=True)
    software = models.CharField(max_length=120, blank=True)
    capabilities = models.JSONField(default=list, blank=True)
    boot_id = models.CharField(max_length=64, blank=True)
    session_id = models.CharField(max_length=32, blank=True)
    plain = models.BooleanField(default=False)
    plan_etag = models.CharField(max_length=128, blank=True)
    clock_state = models.CharField(max_length=16, blank=True)
    clock_error_us = models.PositiveBigIntegerField(null=True, blank=True)
    round_trip_us = models.PositiveBigIntegerField(null=True, blank=True)
    required_lead_ms = models.PositiveIntegerField(default=0)

    token_hash = models.CharField(max_length=64, blank=True)
    next_token_hash = models.CharField(max_length=64, blank=True)
    token_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    last_seen = models.DateTimeField(null=True, blank=True)
    first_seen = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager.from_queryset(DeviceQuerySet)()

    class Meta:
        db_table = "devices"
        ordering = ["name", "pk"]
        indexes = [
            models.Index(fields=["client", "last_seen"], name="device_lease"),
            models.Index(fields=["token_hash"], name="device_token"),
            models.Index(fields=["next_token_hash"], name="device_next_token"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(volume__gte=0, volume__lte=100), name="device_volume_range"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.device_id})"

    def is_online(self, now: datetime | None = None) -> bool:
        """Whether the lease runs at `now`, by the server's clock."""
        return lease_runs(self.last_seen, now or clock.now())


class OutageQuerySet(TenantQuerySet["Outage"]):
    """Outages; a floor user sees those of the speakers of their own floor."""

    client_path = "device__client_id"
    floor_path = "device__floor_id"

    def within(self, start: datetime, end: datetime) -> OutageQuerySet:
        """Those that share an instant with [start, end)."""
        return self.filter(Q(ended_at=None) | Q(ended_at__gt=start), started_at__lt=end)


class Outage(models.Model):
    """A time in which nobody heard of a speaker, from its last sign of life to its next; open while it is away.

    The server's own absence within it is not taken out of it: `ListeningSpan` says when that was.
    """

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="+")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = TenantManager.from_queryset(OutageQuerySet)()

    class Meta:
        db_table = "device_outages"
        ordering = ["-started_at", "-pk"]
        indexes = [models.Index(fields=["device", "started_at"], name="outage_of_device")]
        constraints = [
            models.UniqueConstraint(
                fields=["device"], condition=Q(ended_at=None), name="one_open_outage_of_a_device"
            ),
            models.CheckConstraint(condition=Q(ended_at__gte=F("started_at")), name="outage_ends_later"),
        ]

    def __str__(self) -> str:
        return f"{self.device_id} from {self.started_at:%Y-%m-%d %H:%M} UTC"


class ListeningSpan(models.Model):
    """A time in which at least one process of the server heard speakers; the newest grows while it lasts."""

    started_at = models.DateTimeField(unique=True)
    ended_at = models.DateTimeField()

    class Meta:
        db_table = "device_listening"
        ordering = ["started_at"]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M} to {self.ended_at:%Y-%m-%d %H:%M} UTC"


class DevicePairing(models.Model):
    """A new speaker that waits for somebody to enter its code (the shape of RFC 8628).

    Only a hash of the device's own code is kept. The token does not exist before the device fetches it, which it does
    for whoever claimed it: `claim_entry` is that act in the audit trail.
    """

    device_code_hash = models.CharField(max_length=64, unique=True)
    user_code = models.CharField(max_length=8, unique=True)
    hardware_id = models.CharField(max_length=100, validators=[HARDWARE_ID])
    name = models.CharField(max_length=255, blank=True)
    software = models.CharField(max_length=120, blank=True)
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    last_polled_at = models.DateTimeField(null=True, blank=True)
    interval_s = models.PositiveSmallIntegerField(default=5)
    device = models.ForeignKey(Device, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    claim_entry = models.BigIntegerField(null=True, blank=True)
    fetched_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "device_pairings"

    def __str__(self) -> str:
        return f"{self.user_code} ({self.hardware_id})"
