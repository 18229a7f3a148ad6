"""Writes the audit trail. `record` is for actions; `@audited` makes every change of a model's rows recorded.

Both write inside the transaction of the change: it is on the record, or it did not happen.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.fields.files import FieldFile
from django.db.models.signals import post_delete, post_save, pre_save

from audit.models import AuditLog
from common import clock
from common.context import current_actor

ModelClass = TypeVar("ModelClass", bound=type[models.Model])

HIDDEN = "…"
BEFORE = "_audit_before"


def record(
    action: str,
    *,
    resource: str,
    resource_id: Any,
    client_id: int | None,
    details: dict[str, Any] | None = None,
) -> AuditLog:
    """One entry for a domain action of the current actor (`play`, `login`, `control`, …)."""
    actor = current_actor()
    return AuditLog._base_manager.create(
        user_id=actor.user_id,
        real_user_id=actor.real_user_id,
        actor_name=actor.name,
        real_actor_name=actor.real_name,
        client_id=client_id,
        action=action,
        resource=resource,
        resource_id=str(resource_id),
        details=json.dumps(details or {}, cls=DjangoJSONEncoder, ensure_ascii=False),
        ip_address=actor.ip_address,
        request_id=actor.request_id,
        timestamp=clock.now(),
    )


def audited(
    resource: str, *, ignore: tuple[str, ...] = (), secret: tuple[str, ...] = ()
) -> Callable[[ModelClass], ModelClass]:
    """Class decorator: every insert, update and delete of this model's rows enters the audit trail.

    `ignore` are columns that machines change all the time (a lease, a counter); a change of nothing else is
    not recorded. `secret` are columns of which only the fact of a change is recorded.
    """

    def decorate(model: ModelClass) -> ModelClass:
        columns = [
            field
            for field in model._meta.concrete_fields
            if field.name not in ignore and not field.primary_key
        ]

        def values(instance: Any) -> dict[str, Any]:
            return {
                field.name: HIDDEN if field.name in secret else _plain(getattr(instance, field.attname))
                for field in columns
            }

        def remember(sender: Any, instance: Any, raw: bool = False, **kwargs: Any) -> None:
            if raw or instance._state.adding:
                return
            stored = sender._base_manager.filter(pk=instance.pk).first()
            if stored is not None:
                secrets = {name: getattr(stored, name) for name in secret}
                setattr(instance, BEFORE, (values(stored), secrets))

        def saved(sender: Any, instance: Any, created: bool, raw: bool = False, **kwargs: Any) -> None:
            if raw:
                return
            after = values(instance)
            before, old_secrets = instance.__dict__.pop(BEFORE, ({}, {}))
            if created:
                _write("create", instance, {"after": after})
                return
            changed = [name for name, value in after.items() if before.get(name) != value]
            changed += [name for name, value in old_secrets.items() if getattr(instance, name) != value]
            if changed:
                _write(
                    "update",
                    instance,
                    {
                        "before": {name: before.get(name) for name in changed},
                        "after": {name: after[name] for name in changed},
                    },
                )

        def deleted(sender: Any, instance: Any, **kwargs: Any) -> None:
            _write("delete", instance, {"before": values(instance)})

        def _write(action: str, instance: Any, details: dict[str, Any]) -> None:
            owner = instance.pk if resource == "client" else getattr(instance, "client_id", None)
            if resource == "client":
                details = details | {"client_name": str(instance)}
            record(
                action,
                resource=resource,
                resource_id=instance.pk,
                client_id=None if resource == "client" and action == "delete" else owner,
                details=details,
            )

        uid = f"audit-{resource}"
        pre_save.connect(remember, sender=model, weak=False, dispatch_uid=f"{uid}-before")
        post_save.connect(saved, sender=model, weak=False, dispatch_uid=f"{uid}-saved")
        post_delete.connect(deleted, sender=model, weak=False, dispatch_uid=f"{uid}-deleted")
        return model

    return decorate


def _plain(value: Any) -> Any:
    """A column's value as JSON can hold it."""
    return value.name if isinstance(value, FieldFile) else value
