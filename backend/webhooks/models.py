"""Webhooks of a business, and the outbox: one delivery for each message and webhook."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q

from audit.services import audited
from common.crypto import EncryptedTextField
from common.tenancy import TenantManager, TenantQuerySet
from webhooks.domain import catalogue, retries, targets

LONGEST_EXCERPT = 1000
"""Characters of an answer's body that are kept."""


@audited(
    "webhook",
    ignore=("failures", "failing_since", "paused_until", "mail_owed", "updated_at"),
    secret=("secret", "old_secret"),
)
class Webhook(models.Model):
    """A URL of a business that is told of events.

    `secret` signs; for a while after a change `old_secret` signs too. `failures` counts the failed attempts in a row,
    the first of them at `failing_since`. Nothing is sent before `paused_until`: the receiver has asked for it.
    `mail_owed`: the business is still to be told that we switched it off.
    """

    class Off(models.TextChoices):
        """Why we switched it off; empty when a person did, or nobody."""

        GONE = "gone", "The receiver answered 410 Gone"
        FAILING = "failing", "It failed for a whole day"

    client = models.ForeignKey("clients.Client", on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=targets.LONGEST_URL)
    description = models.CharField(max_length=200, blank=True)
    events = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)

    secret = EncryptedTextField()
    old_secret = EncryptedTextField(blank=True)
    old_secret_until = models.DateTimeField(null=True, blank=True)

    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True)
    switched_off = models.CharField(max_length=16, choices=Off.choices, blank=True)
    switched_off_at = models.DateTimeField(null=True, blank=True)
    mail_owed = models.BooleanField(default=False)

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantManager()

    class Meta:
        db_table = "webhooks"
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.url

    def secrets_at(self, now: datetime) -> list[str]:
        """The secrets that sign at `now`, the newest first."""
        old_holds = self.old_secret_until is not None and now < self.old_secret_until
        return [self.secret, *([self.old_secret] if old_holds and self.old_secret else [])]


TYPE_CHOICES = [(name, name) for name in catalogue.ALL_TYPES]


class WebhookDeliveryQuerySet(TenantQuerySet["WebhookDelivery"]):
    """Deliveries."""

    def due(self, now: datetime) -> WebhookDeliveryQuerySet:
        """Those that are to be tried at `now` and that nobody is trying: a lease that ran out was a dead process's."""
        return self.filter(
            Q(leased_until=None) | Q(leased_until__lte=now),
            status="pending",
            next_attempt_at__lte=now,
            webhook__is_active=True,
        ).exclude(webhook__paused_until__gt=now)


class WebhookDelivery(models.Model):
    """One message to one webhook, and what became of it.

    `payload` is the exact text that is sent and signed at every attempt. `attempts` have been made, `attempts_left`
    may follow, the next at `next_attempt_at`. Who is trying holds it until `leased_until`.
    """

    class Status(models.TextChoices):
        """Whether it has arrived."""

        PENDING = "pending", "Pending"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    client = models.ForeignKey("clients.Client", on_delete=models.CASCADE, related_name="+")
    message_id = models.CharField(max_length=64)
    type = models.CharField(max_length=64, choices=TYPE_CHOICES)
    payload = models.TextField()
    created_at = models.DateTimeField()

    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    attempts_left = models.PositiveSmallIntegerField(default=retries.ATTEMPTS)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)

    last_attempt_at = models.DateTimeField(null=True, blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    response_status = models.PositiveSmallIntegerField(null=True, blank=True)
    response_body = models.CharField(max_length=LONGEST_EXCERPT, blank=True)
    error_code = models.CharField(max_length=32, blank=True)
    error = models.CharField(max_length=300, blank=True)

    objects = TenantManager.from_queryset(WebhookDeliveryQuerySet)()

    class Meta:
        db_table = "webhook_deliveries"
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["webhook", "-created_at", "-id"], name="delivery_newest"),
            models.Index(fields=["created_at"], name="delivery_age"),
            models.Index(fields=["next_attempt_at"], condition=Q(status="pending"), name="delivery_due"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["webhook", "message_id"], name="delivery_once"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.message_id}: {self.status}"
