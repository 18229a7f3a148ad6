"""The floors (zones) of a business."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from audit.services import audited
from common.tenancy import TenantManager, TenantQuerySet
from common.validators import validate_time_zone

VOLUME = [MinValueValidator(0), MaxValueValidator(100)]


class FloorQuerySet(TenantQuerySet["Floor"]):
    """Floors; a floor user sees only their own."""

    floor_path = "pk"


@audited("floor")
class Floor(models.Model):
    """A zone of a business: what hangs on it sounds together. Volumes 0–100.

    Quiet hours are wall-clock `[start, end)` in the floor's zone; both or neither, and they may cross midnight.
    """

    name = models.CharField(max_length=255)
    client = models.ForeignKey("clients.Client", on_delete=models.CASCADE, related_name="floors")
    description = models.TextField(blank=True)
    is_premium = models.BooleanField(default=False)
    timezone = models.CharField(max_length=64, blank=True, validators=[validate_time_zone])
    default_volume = models.IntegerField(default=75, validators=VOLUME)
    min_volume = models.IntegerField(default=0, validators=VOLUME)
    max_volume = models.IntegerField(default=100, validators=VOLUME)
    quiet_hours_start = models.TimeField(null=True, blank=True)
    quiet_hours_end = models.TimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey("users.User", on_delete=models.SET_NULL, null=True, related_name="+")

    objects = TenantManager.from_queryset(FloorQuerySet)()

    class Meta:
        db_table = "floors"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["client", "name"], name="floor_name_once"),
            models.CheckConstraint(
                condition=Q(min_volume__gte=0, max_volume__lte=100, min_volume__lte=F("max_volume")),
                name="floor_volume_range",
            ),
            models.CheckConstraint(
                condition=Q(quiet_hours_start__isnull=True, quiet_hours_end__isnull=True)
                | (
                    Q(quiet_hours_start__isnull=False, quiet_hours_end__isnull=False)
                    & ~Q(quiet_hours_start=F("quiet_hours_end"))
                ),
                name="floor_quiet_hours_both_or_neither",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client.name} - {self.name}"

    @property
    def zone(self) -> str:
        """The IANA zone in which this floor's wall-clock rules are read."""
        return self.timezone or self.client.timezone

    def bounded(self, volume: int) -> int:
        """`volume` within this floor's least and most."""
        return max(self.min_volume, min(self.max_volume, volume))
