"""Writes the audit trail. `record` is for actions; `@audited` makes every change of a model's rows recorded.

Both write inside the transaction of the change: it is on the record, or it did not happen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.fields.files import FieldFile
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save

from audit.models import AuditLog
from common import clock
from common.context import current_actor

ModelClass = TypeVar("ModelClass", bound=type[models.Model])

HIDDEN = "…"
BEFORE = "_audit_before"
AFFECTED = "_audit_affected"
MOST_LISTED = 100
"""Of the rows that go or are let go with a deleted one; beyond that, "…" says that there were more."""

HISTORY = frozenset({"play_events", "music_plays", "audit_logs"})
"""Tables that keep names of their own for what is gone: their many rows are not listed."""

_change_name: ContextVar[str | None] = ContextVar("sync2gear_audit_change", default=None)


@contextmanager
def changes_named(action: str) -> Iterator[None]:
    """Inserts and updates inside the block are entered as `action` (`upload`, `toggle`) with their before and after.

    For what a person would not call a "create" or "update". Deletes keep their name.
    """
    token = _change_name.set(action)
    try:
        yield
    finally:
        _change_name.reset(token)


def record(
    action: str,
    *,
    resource: str,
    resource_id: Any,
    client_id: int | None,
    client_name: str | None = None,
    details: dict[str, Any] | None = None,
) -> AuditLog:
    """One entry for a domain action of the current actor (`play`, `login`, `control`, …).

    The name of the client is looked up unless it is given.
    `details` must be fit for the eyes of the business's admins: no secrets.
    """
    actor = current_actor()
    return AuditLog.everything.create(
        user_id=actor.user_id,
        real_user_id=actor.real_user_id,
        actor_name=actor.name,
        real_actor_name=actor.real_name,
        client_id=client_id,
        client_name=_name_of_client(client_id) if client_name is None else client_name,
        action=action,
        resource=resource,
        resource_id=str(resource_id),
        details=json.dumps(details or {}, cls=DjangoJSONEncoder, ensure_ascii=False),
        ip_address=actor.ip_address,
        request_id=actor.request_id,
        timestamp=clock.now(),
    )


def _name_of_client(client_id: int | None) -> str:
    if client_id is None:
        return ""
    clients: Any = AuditLog._meta.get_field("client").related_model
    return clients._base_manager.filter(pk=client_id).values_list("name", flat=True).first() or ""


def audited(
    resource: str, *, ignore: tuple[str, ...] = (), secret: tuple[str, ...] = ()
) -> Callable[[ModelClass], ModelClass]:
    """Class decorator: every insert, update and delete of this model's rows enters the audit trail.

    `ignore` are columns that machines change all the time (a lease, a counter); a change of nothing else is
    not recorded. `secret` are columns of which only the fact of a change is recorded. The entry of a delete lists
    the rows that the database removes or lets go of along with it, for those write no entries of their own.
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
                _write(_change_name.get() or "create", instance, {"after": after})
                return
            changed = [name for name, value in after.items() if before.get(name) != value]
            changed += [name for name, value in old_secrets.items() if getattr(instance, name) != value]
            if changed:
                _write(
                    _change_name.get() or "update",
                    instance,
                    {
                        "before": {name: before.get(name) for name in changed},
                        "after": {name: after[name] for name in changed},
                    },
                )

        def look_around(sender: Any, instance: Any, origin: Any = None, **kwargs: Any) -> None:
            if origin is instance:
                setattr(instance, AFFECTED, _affected_by(instance))

        def deleted(sender: Any, instance: Any, **kwargs: Any) -> None:
            hung = instance.__dict__.pop(AFFECTED, {})
            affected = {"affected": hung} if hung else {}
            _write("delete", instance, {"before": values(instance)} | affected)

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
        pre_delete.connect(look_around, sender=model, weak=False, dispatch_uid=f"{uid}-around")
        post_delete.connect(deleted, sender=model, weak=False, dispatch_uid=f"{uid}-deleted")
        return model

    return decorate


def _plain(value: Any) -> Any:
    """A column's value as JSON can hold it."""
    return value.name if isinstance(value, FieldFile) else value


def _affected_by(instance: Any) -> dict[str, list[Any]]:
    """The keys of the rows that hang on this one, by their table. Who made or did something hangs on nobody."""
    found: dict[str, list[Any]] = {}
    for relation in instance._meta.related_objects:
        if relation.hidden or relation.related_model._meta.db_table in HISTORY:
            continue
        rows = relation.related_model._base_manager.filter(**{relation.field.name: instance})
        keys = list(rows.order_by("pk").values_list("pk", flat=True)[: MOST_LISTED + 1])
        if keys:
            more = [HIDDEN] if len(keys) > MOST_LISTED else []
            found[relation.related_model._meta.db_table] = [*keys[:MOST_LISTED], *more]
    return found
