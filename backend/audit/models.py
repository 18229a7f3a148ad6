"""The audit trail: one row for every change of a row and every action, written with the change itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

from django.db import models
from django.db.models import Q

from audit.domain.chain import BEGINNING, Head, digest_of
from common.tenancy import TenantManager, TenantQuerySet

KEPT: dict[str, Any] = {"on_delete": models.DO_NOTHING, "db_constraint": False, "related_name": "+"}
"""A key that outlives what it points at: the trail is append-only, so not even a null is written into it."""

SAID = (
    "user_id",
    "real_user_id",
    "client_id",
    "action",
    "resource",
    "resource_id",
    "details",
    "ip_address",
    "timestamp",
    "actor_name",
    "real_actor_name",
    "client_name",
    "request_id",
)
"""What an entry says: all its columns but its place in the chain. A digest covers these."""


class AppendOnly(TypeError):
    """Somebody tried to change or remove an entry of the audit trail. The database would refuse it too."""

    def __init__(self) -> None:
        super().__init__("The audit trail is append-only: write another entry instead.")


class AuditLogQuerySet(TenantQuerySet["AuditLog"]):
    """Entries; they can be added and read, and nothing else."""

    def update(self, **changes: Any) -> NoReturn:
        """Raises `AppendOnly`."""
        raise AppendOnly

    def delete(self) -> NoReturn:
        """Raises `AppendOnly`."""
        raise AppendOnly

    def bulk_create(self, objs: Iterable[AuditLog], *args: Any, **options: Any) -> list[AuditLog]:
        """Adds many entries; raises `AppendOnly` for options that would change those that are there."""
        if options.get("update_conflicts"):
            raise AppendOnly
        rows = list(objs)
        for row in rows:
            row.digest = row.digest_now()
        return super().bulk_create(rows, *args, **options)


class AuditLog(models.Model):
    """Who did what to which thing, when and from where.

    Names are kept beside the keys, so that the trail still reads when a user or client is gone.
    `details` is JSON text: `{"before": {…}, "after": {…}}` for a change, the action's facts otherwise.
    `digest`, `number` and `hash` are its place in the chain, see `audit.domain.chain`: the digest is written with
    the entry, the others follow within a second or two, in the order of the commits (`audit.sealing`).
    """

    user = models.ForeignKey("users.User", null=True, db_index=False, **KEPT)
    real_user = models.ForeignKey("users.User", null=True, **KEPT)
    client = models.ForeignKey("clients.Client", null=True, blank=True, db_index=False, **KEPT)
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

    digest = models.CharField(max_length=64, default="", editable=False)
    number = models.BigIntegerField(null=True, editable=False)
    hash = models.CharField(max_length=64, default="", editable=False)

    objects = TenantManager.from_queryset(AuditLogQuerySet)()
    everything = AuditLogQuerySet.as_manager()
    """Without a scope: for writing, sealing and verifying, which happen for nobody in particular."""

    class Meta:
        db_table = "audit_logs"
        ordering = ["-timestamp"]
        base_manager_name = "everything"
        default_manager_name = "objects"
        indexes = [
            models.Index(fields=["-timestamp"], name="audit_time"),
            models.Index(fields=["client", "-timestamp"], name="audit_client_time"),
            models.Index(fields=["resource", "resource_id", "-timestamp"], name="audit_thing_time"),
            models.Index(fields=["user", "-timestamp"], name="audit_user_time"),
            models.Index(fields=["action", "-timestamp"], name="audit_action_time"),
            models.Index(fields=["request_id"], name="audit_request"),
            models.Index(fields=["client", "number"], name="audit_chain"),
            models.Index(fields=["id"], condition=Q(number=None), name="audit_unsealed"),
        ]

    def __str__(self) -> str:
        return f"{self.timestamp:%Y-%m-%d %H:%M:%S} {self.actor_name} {self.action} {self.resource} {self.resource_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Adds a new entry; raises `AppendOnly` for one that is there already."""
        if not self._state.adding:
            raise AppendOnly
        self.digest = self.digest_now()
        super().save(*args, **kwargs | {"force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises `AppendOnly`."""
        raise AppendOnly

    def digest_now(self) -> str:
        """The digest of what this entry says as it stands in memory."""
        return digest_of({name: getattr(self, name) for name in SAID})


class AuditChain(models.Model):
    """Where a chain ends, as far as it is sealed, and where it begins. `chain` is the business's id, or 0 for what
    belongs to none.

    The rows are beside the trail, so that entries cut off its end are missed. `start_number` entries were removed
    because they were old (`audit.retention`); `start_hash` is the hash of the last of them.
    """

    chain = models.BigIntegerField(primary_key=True)
    number = models.BigIntegerField()
    hash = models.CharField(max_length=64)
    start_number = models.BigIntegerField(default=BEGINNING.number)
    start_hash = models.CharField(max_length=64, default=BEGINNING.hash)
    sealed_at = models.DateTimeField()

    class Meta:
        db_table = "audit_chains"
        ordering = ["chain"]

    def __str__(self) -> str:
        return f"chain {self.chain}: {self.number} entries"

    @property
    def head(self) -> Head:
        """The head as a value."""
        return Head(self.number, self.hash)

    @property
    def start(self) -> Head:
        """What its oldest entry follows, as a value; BEGINNING when nothing was removed."""
        return Head(self.start_number, self.start_hash)
