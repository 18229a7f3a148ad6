"""Rows that belong to no app: remembered answers to idempotent requests."""

from __future__ import annotations

from django.db import models

from common import lookups as lookups  # registers `among`
from common.crypto import EncryptedTextField


class IdempotencyRecord(models.Model):
    """The first answer to a request that carried an `Idempotency-Key`, kept for 24 h.

    `status` 0 means that the first request is still running. `answer` is JSON, encrypted: it may hold a token that is
    shown once.
    """

    caller = models.CharField(max_length=64)
    route = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    answer = EncryptedTextField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "idempotency_records"
        constraints = [models.UniqueConstraint(fields=["caller", "route", "key"], name="idempotency_once")]

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"
