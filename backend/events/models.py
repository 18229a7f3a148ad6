"""The ledger: one row for every announcement on every device, and every change of its state."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import BooleanField, Func, Q

from common.tenancy import TenantManager, TenantQuerySet
from events.domain import ledger


class IsOpen(Func):
    """Whether a status is an open one, in the very words of the partial indexes.

    SQLite takes such an index for a statement that says its condition literally: what a parameter will hold it does
    not know when it plans (https://sqlite.org/partialindex.html, 3.1), and reads a table that grows for ever instead.
    """

    template = "%(expressions)s IN ('{}')".format("', '".join(sorted(ledger.OPEN)))
    output_field = BooleanField()


class PlayEventQuerySet(TenantQuerySet["PlayEvent"]):
    """Play events; a floor user sees those of their own floor."""

    floor_path = "floor_id"

    def open(self) -> PlayEventQuerySet:
        """Those that have not ended."""
        return self.filter(IsOpen("status"))


class PlayEvent(models.Model):
    """One announcement on one device: what was asked, and truthfully what became of it.

    The key is derived from what the event is (UUIDv5), so that whoever means the same play means the same row.
    Names of announcement, device and floor are kept for when those are gone. Instants of the play itself are
    the device's own, corrected by its clock offset.
    """

    class Type(models.TextChoices):
        """Who asked for it: a person now, or a rule."""

        INSTANT = "instant", "Instant"
        SCHEDULED = "scheduled", "Scheduled"

    class Status(models.TextChoices):
        """See `events.domain.ledger`."""

        PENDING = ledger.PENDING, "Pending"
        DELIVERED = ledger.DELIVERED, "Delivered"
        PLAYING = ledger.PLAYING, "Playing"
        COMPLETED = ledger.COMPLETED, "Completed"
        FAILED = ledger.FAILED, "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    play_id = models.UUIDField(db_index=True)
    # The indexes below begin with these keys: one of their own for each would be written for nothing.
    announcement = models.ForeignKey(
        "announcements.Announcement",
        on_delete=models.SET_NULL,
        null=True,
        db_index=False,
        related_name="play_events",
    )
    device = models.ForeignKey(
        "devices.Device", on_delete=models.SET_NULL, null=True, db_index=False, related_name="play_events"
    )
    client = models.ForeignKey(
        "clients.Client", on_delete=models.CASCADE, db_index=False, related_name="play_events"
    )
    floor = models.ForeignKey(
        "zones.Floor", on_delete=models.SET_NULL, null=True, db_index=False, related_name="+"
    )
    announcement_title = models.CharField(max_length=255, blank=True)
    device_name = models.CharField(max_length=255, blank=True)
    floor_name = models.CharField(max_length=255, blank=True)

    event_type = models.CharField(max_length=20, choices=Type.choices)
    priority = models.CharField(max_length=16, choices=ledger.PRIORITY_CHOICES, default="instant")
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.PENDING)
    reason = models.CharField(max_length=64, blank=True)
    error_message = models.TextField(blank=True)

    play_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    volume = models.PositiveSmallIntegerField(default=75)
    duck_db = models.FloatField(default=-15.0)
    late = models.CharField(max_length=8, default="skip")
    waits_for_device = models.BooleanField(default=False)
    override_quiet_hours = models.BooleanField(default=False)

    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        "users.User", on_delete=models.SET_NULL, null=True, db_index=False, related_name="+"
    )
    delivered_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=32, blank=True)
    start_error_us = models.BigIntegerField(null=True, blank=True)
    played_ms = models.PositiveBigIntegerField(null=True, blank=True)

    objects = TenantManager.from_queryset(PlayEventQuerySet)()

    class Meta:
        db_table = "play_events"
        ordering = ["-created_at", "-id"]
        indexes = [
            # Each list of the API is read along one of these, from wherever its cursor stands: docs/performance.md.
            models.Index(fields=["-created_at", "-id"], name="event_newest"),
            models.Index(fields=["client", "-created_at", "-id"], name="event_client_newest"),
            models.Index(fields=["floor", "-created_at", "-id"], name="event_floor_newest"),
            models.Index(fields=["device", "-created_at", "-id"], name="event_device_newest"),
            models.Index(fields=["announcement", "-created_at", "-id"], name="event_words_newest"),
            models.Index(
                fields=["client", "reason", "-created_at", "-id"],
                condition=~Q(reason=""),
                name="event_reason_newest",
            ),
            models.Index(fields=["-play_at", "-id"], name="event_due"),
            models.Index(fields=["client", "-play_at", "-id"], name="event_client_due"),
            models.Index(fields=["created_by"], condition=~Q(created_by=None), name="event_created_by"),
            models.Index(
                fields=["device", "expires_at"],
                condition=Q(status__in=sorted(ledger.OPEN)),
                name="event_open_device",
            ),
            models.Index(
                fields=["expires_at"], condition=Q(status__in=sorted(ledger.OPEN)), name="event_open_expiry"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.announcement_title} on {self.device_name}: {self.status}"

    @property
    def history(self) -> list[PlayEventChange]:
        """Every state the event has had, in order, from the one it was born with.

        An order is born `pending` when its row is made, as the row itself says, and has no entry of its own for it.
        What was not to be heard from the beginning has. Of an old event only what it came to is kept.
        """
        changes = list(self.changes.all())
        forgotten = not changes and self.status != ledger.PENDING
        if forgotten or any(change.is_birth for change in changes):
            return changes
        by = "user" if self.event_type == self.Type.INSTANT else "server"
        return [PlayEventChange(event=self, at=self.created_at, status=ledger.PENDING, source=by), *changes]


class PlayEventChange(models.Model):
    """One change of a play event's state: the history that its detail shows, but for an order's birth."""

    event = models.ForeignKey(PlayEvent, on_delete=models.CASCADE, db_index=False, related_name="changes")
    at = models.DateTimeField()
    status = models.CharField(max_length=20, choices=PlayEvent.Status.choices)
    reason = models.CharField(max_length=64, blank=True)
    source = models.CharField(max_length=16)
    """Who says so: `server`, `device`, `sweeper` or `user`."""
    correction = models.BooleanField(default=False)
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        db_table = "play_event_changes"
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["event", "at"], name="event_change_time")]

    def __str__(self) -> str:
        return f"{self.event_id} {self.status} at {self.at:%H:%M:%S}"

    @property
    def is_birth(self) -> bool:
        """Is this what the event was born as, rather than what it became?"""
        return self.at == self.event.created_at and (self.status == ledger.PENDING or self.source == "server")
