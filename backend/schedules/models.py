"""Schedules: which announcements fire when, and on which devices."""

from __future__ import annotations

from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from audit.services import audited
from common.stamps import new_stamp
from common.tenancy import Scope, TenantManager, TenantQuerySet

LONGEST_PERIOD = 1440
"""Minutes. Intervals and cycles are laid from a local midnight, so none is longer than a day."""
PERIOD = [MinValueValidator(1), MaxValueValidator(LONGEST_PERIOD)]


class ScheduleQuerySet(TenantQuerySet["Schedule"]):
    """Schedules; a floor user sees those that fire on their own floor."""

    def visible_in(self, scope: Scope) -> Self:
        """The rows that `scope` shows, each once, however many targets it has."""
        visible = super().visible_in(scope)
        if scope.nothing or not scope.floor_bound:
            return visible
        if scope.floor_id is None:
            return self.none()
        floors = ScheduleFloor._base_manager.filter(floor_id=scope.floor_id)
        devices = ScheduleDevice._base_manager.filter(device__floor_id=scope.floor_id)
        return visible.filter(
            Q(pk__in=floors.values("schedule_id")) | Q(pk__in=devices.values("schedule_id"))
        )


@audited("schedule", ignore=("updated_at", "planned_until", "stale", "stamp"))
class Schedule(models.Model):
    """A rule. `interval`: every `interval_minutes` from local midnight, one of its announcements. `timeline`:
    cycles of `cycle_duration_minutes` from local midnight, each announcement at its own second of every cycle.

    `active_days` are ISO weekdays, 1 Monday to 7 Sunday; empty means every day. Quiet hours are wall-clock
    `[start, end)`. All of it is read in each target device's zone.

    Every occurrence before `planned_until` is on the record; it is the instant of the next one, or None when
    there is nothing to look for. `stale` marks a change that what was written ahead does not know of yet, and `stamp`
    is another one after each change of the rule or of what it is made of.
    """

    class Type(models.TextChoices):
        """How it finds its instants."""

        INTERVAL = "interval", "Interval-Based"
        TIMELINE = "timeline", "Timeline-Based"

    name = models.CharField(max_length=255)
    client = models.ForeignKey("clients.Client", on_delete=models.CASCADE, related_name="schedules")
    schedule_type = models.CharField(max_length=20, choices=Type.choices)
    enabled = models.BooleanField(default=True)

    interval_minutes = models.IntegerField(null=True, blank=True, validators=PERIOD)
    avoid_repeat = models.BooleanField(default=True)
    cycle_duration_minutes = models.IntegerField(null=True, blank=True, validators=PERIOD)
    quiet_hours_start = models.TimeField(null=True, blank=True)
    quiet_hours_end = models.TimeField(null=True, blank=True)
    active_days = models.JSONField(default=list, blank=True)

    devices = models.ManyToManyField(
        "devices.Device", through="schedules.ScheduleDevice", related_name="schedules"
    )
    floors = models.ManyToManyField(
        "zones.Floor", through="schedules.ScheduleFloor", related_name="schedules"
    )

    planned_until = models.DateTimeField(null=True, blank=True)
    stale = models.BooleanField(default=False)
    stamp = models.BigIntegerField(default=new_stamp, db_default=0, editable=False)

    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey("users.User", on_delete=models.SET_NULL, null=True, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantManager.from_queryset(ScheduleQuerySet)()

    class Meta:
        db_table = "schedules"
        ordering = ["name", "pk"]
        indexes = [
            models.Index(fields=["client", "name"], name="schedule_name"),
            models.Index(
                fields=["planned_until"],
                condition=Q(planned_until__isnull=False),
                name="schedule_to_plan",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(schedule_type="interval", interval_minutes__gte=1)
                | Q(schedule_type="timeline", cycle_duration_minutes__gte=1),
                name="schedule_has_its_period",
            ),
            models.CheckConstraint(
                condition=Q(quiet_hours_start__isnull=True, quiet_hours_end__isnull=True)
                | (
                    Q(quiet_hours_start__isnull=False, quiet_hours_end__isnull=False)
                    & ~Q(quiet_hours_start=F("quiet_hours_end"))
                ),
                name="schedule_quiet_hours_both_or_neither",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PartQuerySet(TenantQuerySet["models.Model"]):
    """What belongs to a schedule is seen with it."""

    client_path = "schedule__client_id"


PartManager = TenantManager.from_queryset(PartQuerySet)


class ScheduleAnnouncement(models.Model):
    """An announcement of a schedule; `timestamp_seconds` from the cycle's start, for timelines only.

    The schedule's own entries in the audit trail hold its lists; an entry for each part would bury the rest.
    """

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="schedule_announcements")
    announcement = models.ForeignKey(
        "announcements.Announcement", on_delete=models.CASCADE, related_name="schedule_entries"
    )
    timestamp_seconds = models.IntegerField(null=True, blank=True, validators=[MinValueValidator(0)])
    order = models.IntegerField(default=0)

    objects = PartManager()

    class Meta:
        db_table = "schedule_announcements"
        ordering = ["order", "pk"]

    def __str__(self) -> str:
        return f"announcement {self.announcement_id} of schedule {self.schedule_id}"


class ScheduleDevice(models.Model):
    """A device that a schedule fires on by name."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="schedule_devices")
    device = models.ForeignKey("devices.Device", on_delete=models.CASCADE, related_name="schedule_devices")

    objects = PartManager()

    class Meta:
        db_table = "schedule_devices"
        unique_together = [("schedule", "device")]

    def __str__(self) -> str:
        return f"device {self.device_id} of schedule {self.schedule_id}"


class ScheduleFloor(models.Model):
    """A floor that a schedule fires on: all its devices, also those that are hung up later."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="schedule_floors")
    floor = models.ForeignKey("zones.Floor", on_delete=models.CASCADE, related_name="schedule_floors")

    objects = PartManager()

    class Meta:
        db_table = "schedule_floors"
        unique_together = [("schedule", "floor")]

    def __str__(self) -> str:
        return f"floor {self.floor_id} of schedule {self.schedule_id}"


class ScheduleException(models.Model):
    """Local dates, both included, on which a schedule does not fire."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="exceptions")
    first_date = models.DateField()
    last_date = models.DateField()
    note = models.CharField(max_length=255, blank=True)

    objects = PartManager()

    class Meta:
        db_table = "schedule_exceptions"
        ordering = ["first_date", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(last_date__gte=F("first_date")), name="schedule_exception_order"
            )
        ]

    def __str__(self) -> str:
        return f"{self.first_date} to {self.last_date}"


class ScheduleOccurrence(models.Model):
    """An occurrence that is on the record: its events in the ledger are those with its `play_id`.

    The ledger stands below and knows no schedules; this says which plays a schedule has had, by whatever rule it
    had then.
    """

    play_id = models.UUIDField(primary_key=True)
    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="occurrences")
    play_at = models.DateTimeField()

    objects = PartManager()

    class Meta:
        db_table = "schedule_occurrences"
        indexes = [models.Index(fields=["schedule", "play_at"], name="schedule_occurrence_time")]

    def __str__(self) -> str:
        return f"schedule {self.schedule_id} at {self.play_at:%Y-%m-%d %H:%M:%S}"


class ClientLock(models.Model):
    """A stretch in which the scheduler found a business locked, and wrote nothing ahead for it."""

    client = models.ForeignKey("clients.Client", on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField()

    objects = TenantManager()

    class Meta:
        db_table = "client_locks"
        ordering = ["since"]
        indexes = [models.Index(fields=["client", "until"], name="client_lock_until")]

    def __str__(self) -> str:
        return f"client {self.client_id} locked from {self.since:%Y-%m-%d %H:%M}"


class FloorBoundQuerySet(TenantQuerySet["models.Model"]):
    """What belongs to one floor."""

    client_path = "floor__client_id"
    floor_path = "floor_id"


@audited("floor_stop")
class FloorStop(models.Model):
    """A floor told to be silent, until an instant or until somebody lifts it (None); emergencies still sound.

    Lifting sets `until` to that instant, so that the past stays explained.
    """

    floor = models.ForeignKey("zones.Floor", on_delete=models.CASCADE, related_name="stops")
    starts_at = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey("users.User", on_delete=models.SET_NULL, null=True, related_name="+")

    objects = TenantManager.from_queryset(FloorBoundQuerySet)()

    class Meta:
        db_table = "floor_stops"
        ordering = ["-starts_at"]
        indexes = [models.Index(fields=["floor", "until"], name="floor_stop_until")]

    def __str__(self) -> str:
        return f"floor {self.floor_id} from {self.starts_at:%Y-%m-%d %H:%M}"

    @property
    def client_id(self) -> int:
        """The business whose floor it is; the audit trail asks for it."""
        return self.floor.client_id
