"""The audit trail: one row for every change of a row and every action, written with the change itself."""

from __future__ import annotations

from typing import Any

from django.db import models

from common.tenancy import TenantManager

KEPT: dict[str, Any] = {"on_delete": models.DO_NOTHING, "db_constraint": False, "related_name": "+"}
"""A key that outlives what it points at: the trail is append-only, so not even a null is written into it."""


class AuditLog(models.Model):
    """Who did what to which thing, when and from where.

    Names are kept beside the keys, so that the trail still reads when a user or client is gone.
    `details` is JSON text: `{"before": {…}, "after": {…}}` for a change, the action's facts otherwise.
    """

    user = models.ForeignKey("users.User", null=True, **KEPT)
    real_user = models.ForeignKey("users.User", null=True, **KEPT)
    client = models.ForeignKey("clients.Client", null=True, blank=True, **KEPT)
    action = models.CharField(max_length=100)
    resource = models.CharField(max_length=100)
    resource_id = models.CharField(max_length=100)
    details = models.TextField()
    ip_address = models.GenericIPAddressField(null=True)
    timestamp = models.DateTimeField()
    actor_name = models.CharField(max_length=255, blank=True)
    real_actor_name = models.CharField(max_length=255, blank=True)
    client_name = models.CharField(max_length=255, blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    objects = TenantManager()

    class Meta:
        db_table = "audit_logs"
        ordering = ["-timestamp"]
        indexes = [
            models.Index(fields=["-timestamp"], name="audit_time"),
            models.Index(fields=["client", "-timestamp"], name="audit_client_time"),
        ]

    def __str__(self) -> str:
        return f"{self.timestamp:%Y-%m-%d %H:%M:%S} {self.actor_name} {self.action} {self.resource} {self.resource_id}"
