"""A business that uses sync2gear."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from audit.services import audited
from clients.domain import access
from common import clock
from common.tenancy import TenantManager, TenantQuerySet
from common.validators import validate_time_zone

LONGEST_GAP = 720
"""Minutes between two scheduled announcements on a floor, from start to start."""


def open_at(now: datetime, *, path: str = "") -> Q:
    """Businesses without a lock at `now`: in SQL what `access.lock_of` says. `path` leads to them (`client__`)."""
    trial = Q(**{f"{path}status": access.TRIAL}) & (
        Q(**{f"{path}trial_ends_at": None}) | Q(**{f"{path}trial_ends_at__gt": now})
    )
    kept = Q(**{f"{path}deletion_requested_at": None})
    return kept & (Q(**{f"{path}status": access.ACTIVE}) | trial)


class ClientQuerySet(TenantQuerySet["Client"]):
    """Clients; a tenant sees only itself."""

    client_path = "pk"


@audited("client", ignore=("updated_at",))
class Client(models.Model):
    """A business. Its wall-clock rules are read in `timezone` unless a floor has its own.

    Of two scheduled announcements on a floor that would start within `announcement_gap_minutes` only one plays;
    0 for no such rule. Deletion is asked for first, which locks the business, and then confirmed; a job does it.
    """

    class Status(models.TextChoices):
        """What the business may do: see `clients.domain.access`."""

        ACTIVE = access.ACTIVE, "Active"
        TRIAL = access.TRIAL, "Trial"
        SUSPENDED = access.SUSPENDED, "Suspended"

    name = models.CharField(max_length=255)
    business_name = models.CharField(max_length=255)
    email = models.EmailField(unique=True)
    telephone = models.CharField(max_length=20)
    description = models.TextField(blank=True)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.TRIAL)
    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])

    trial_days = models.IntegerField(default=14)
    trial_ends_at = models.DateTimeField(null=True, blank=True)
    subscription_price = models.DecimalField(max_digits=10, decimal_places=2, default=Decimal("49.99"))
    subscription_status = models.CharField(max_length=20, default="trial")
    stripe_customer_id = models.CharField(max_length=255, blank=True)
    stripe_subscription_id = models.CharField(max_length=255, blank=True)

    multi_floor_enabled = models.BooleanField(default=False)
    ai_credits = models.IntegerField(default=100)
    max_floors = models.IntegerField(default=1)
    announcement_gap_minutes = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(LONGEST_GAP)]
    )

    deletion_requested_at = models.DateTimeField(null=True, blank=True)
    deletion_confirmed_at = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantManager.from_queryset(ClientQuerySet)()

    class Meta:
        db_table = "clients"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(ai_credits__gte=0), name="client_credits_not_negative"),
            models.CheckConstraint(
                condition=Q(deletion_confirmed_at=None) | Q(deletion_requested_at__isnull=False),
                name="client_deletion_asked_first",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def lock(self, now: datetime | None = None) -> access.Lock | None:
        """Why this business may not write or play at `now`, or None."""
        return access.lock_of(
            status=self.status,
            trial_ends_at=self.trial_ends_at,
            subscription_status=self.subscription_status,
            deleting=self.deletion_requested_at is not None,
            now=now or clock.now(),
        )

    @property
    def lets_people_in(self) -> bool:
        """Whether its people may sign in: until its deletion is asked for."""
        return self.deletion_requested_at is None

    @property
    def floors_allowed(self) -> int:
        """How many floors this business may have."""
        return access.floors_allowed(multi_floor_enabled=self.multi_floor_enabled, max_floors=self.max_floors)


class CreditHold(models.Model):
    """Credits that were taken for a call of which nobody knows yet what it makes: see `clients.credits`."""

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="+")
    credits = models.PositiveIntegerField()
    created_at = models.DateTimeField(db_index=True)

    objects = TenantManager()

    class Meta:
        db_table = "credit_holds"

    def __str__(self) -> str:
        return f"{self.credits} of business {self.client_id}, {self.created_at:%Y-%m-%d %H:%M:%S}"
