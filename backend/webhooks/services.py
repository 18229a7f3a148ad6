"""Telling of events, and what people do with webhooks. Keyword-only, atomic; sending comes after the commit."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from audit.services import record
from clients.models import Client
from clients.selectors import locked_for_update
from common import clock, jobs
from common.errors import Refusal
from common.tenancy import system_scope
from webhooks import outbox, sending
from webhooks.domain import catalogue, signing, targets
from webhooks.models import Webhook, WebhookDelivery
from webhooks.tasks import send_due

MOST_WEBHOOKS = 10
"""Of one business."""
OLD_SECRET_HOLDS = timedelta(hours=24)


# --- telling ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened at a business. `data` has the shape of its type's example; of a gathered type it is one
    entry of the list."""

    client_id: int
    type: str
    data: dict[str, Any]
    at: datetime


def emit(*, events: Sequence[Event], now: datetime) -> int:
    """Puts these events into the outbox, for every webhook that subscribes to them; returns how many messages.

    Call it inside the transaction that makes them true, last: they are told if it commits. Where nobody subscribes it
    costs one query. KeyError for an unknown type.
    """
    if not events:
        return 0
    with system_scope("an event goes to its own business's webhooks, whoever causes it"):
        concerned = {event.client_id for event in events}
        webhooks = list(Webhook.objects.filter(client_id__in=concerned, is_active=True).order_by("pk"))
        if not webhooks:
            return 0
        rows: list[WebhookDelivery] = []
        for type_ in dict.fromkeys(event.type for event in events):
            of_type = [event for event in events if event.type == type_]
            subscribed = [webhook for webhook in webhooks if type_ in webhook.events]
            make = _gathered if catalogue.TYPES[type_].gathered else _one_each
            rows += make(type_, of_type, subscribed, now)
        WebhookDelivery.objects.bulk_create(rows)
    if any(row.next_attempt_at == now for row in rows):
        jobs.enqueue(send_due)
    return len(rows)


def _one_each(
    type_: str, events: Sequence[Event], webhooks: Sequence[Webhook], now: datetime
) -> Iterator[WebhookDelivery]:
    """A message for each event, under one id for all of a business's webhooks."""
    for event in events:
        message_id, payload = _new_id(), catalogue.body_of(type_, event.data, at=event.at)
        for webhook in webhooks:
            if webhook.client_id == event.client_id:
                yield _delivery(webhook, message_id, type_, payload, now=now, due=now)


def _gathered(
    type_: str, events: Sequence[Event], webhooks: Sequence[Webhook], now: datetime
) -> Iterator[WebhookDelivery]:
    """Events that come close together go into one message, which waits for them.

    One that another transaction is adding to is not waited for: there are two messages then.
    """
    kind = catalogue.TYPES[type_]
    waiting = {
        row.webhook_id: row
        for row in WebhookDelivery.objects.select_for_update(skip_locked=True)
        .filter(webhook__in=webhooks, type=type_, status="pending", attempts=0, next_attempt_at__gt=now)
        .order_by("pk")
    }
    for webhook in webhooks:
        own = [event for event in events if event.client_id == webhook.client_id]
        open_row = waiting.get(webhook.pk)
        if open_row is not None:
            told = json.loads(open_row.payload)["data"][kind.gathered]
            fitting = own[: max(0, catalogue.MOST_TOGETHER - len(told))]
            own = own[len(fitting) :]
            entries = [*told, *(event.data for event in fitting)]
            open_row.payload = catalogue.body_of(type_, {kind.gathered: entries}, at=open_row.created_at)
            open_row.save(update_fields=["payload"])
        for first in range(0, len(own), catalogue.MOST_TOGETHER):
            entries = [event.data for event in own[first : first + catalogue.MOST_TOGETHER]]
            payload = catalogue.body_of(type_, {kind.gathered: entries}, at=now)
            yield _delivery(webhook, _new_id(), type_, payload, now=now, due=now + kind.gathers_for)


def _new_id() -> str:
    return f"msg_{uuid.uuid4().hex}"


def _delivery(
    webhook: Webhook, message_id: str, type_: str, payload: str, *, now: datetime, due: datetime
) -> WebhookDelivery:
    return WebhookDelivery(
        webhook=webhook,
        client_id=webhook.client_id,
        message_id=message_id,
        type=type_,
        payload=payload,
        created_at=now,
        next_attempt_at=due,
    )


# --- what people do --------------------------------------------------------------------------------------


@transaction.atomic
def create_webhook(
    *, client: Client, url: str, events: Collection[str], description: str = "", is_active: bool = True
) -> Webhook:
    """A webhook with a secret of its own. Raises `Refusal`: `target_refused`, `webhook_limit`."""
    refuse_form(url)
    client = locked_for_update(client.pk)  # two requests must not both take the last place
    if Webhook.objects.filter(client=client).count() >= MOST_WEBHOOKS:
        raise Refusal("webhook_limit", f"A business has at most {MOST_WEBHOOKS} webhooks; delete one first.")
    webhook: Webhook = Webhook.objects.create(
        client=client,
        url=url,
        events=sorted(set(events)),
        description=description,
        is_active=is_active,
        secret=signing.fresh_secret(),
    )
    return webhook


@transaction.atomic
def update_webhook(*, webhook: Webhook, **changes: Any) -> Webhook:
    """Changes url, events, description, is_active. Raises `Refusal("target_refused")`.

    Switching it off ends what waits for it; switching it on forgets why it was off, and its failures.
    """
    if "url" in changes:
        refuse_form(changes["url"])
    row = outbox.locked(webhook.pk)
    if row is None:
        raise Refusal("not_found", "There is no such webhook.")
    if "events" in changes:
        changes["events"] = sorted(set(changes["events"]))
    if changes.get("is_active", row.is_active) != row.is_active or "url" in changes:
        changes |= {"failures": 0, "failing_since": None, "paused_until": None}
    if changes.get("is_active"):
        changes |= {"switched_off": "", "switched_off_at": None, "mail_owed": False}
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(update_fields=[*changes, "updated_at"])
    if not row.is_active:
        outbox.end_pending(row)
    return row


@transaction.atomic
def delete_webhook(*, webhook: Webhook) -> None:
    """Removes a webhook and all its deliveries."""
    row = outbox.locked(webhook.pk)
    if row is not None:
        row.delete()


def refuse_form(url: str) -> targets.Target:
    """The parts of a URL; raises `Refusal("target_refused")` for one that can be no target, whatever its name means."""
    try:
        return targets.parse(url)
    except targets.TargetRefused as refused:
        raise Refusal("target_refused", refused.detail, field="url") from refused


def refuse_target(url: str) -> None:
    """Raises `Refusal("target_refused")` for a URL to which nothing would be sent. May take three seconds.

    Tells a person at once; what protects us is that `sending` looks again before every attempt. A name that leads
    nowhere yet is let pass.
    """
    target = refuse_form(url)
    try:
        targets.refuse_addresses(target, sending.addresses_of(target), settings.WEBHOOK_NETWORKS)
    except targets.TargetRefused as refused:
        raise Refusal("target_refused", refused.detail, field="url") from refused


@transaction.atomic
def rotate_secret(*, webhook: Webhook, now: datetime) -> Webhook:
    """A new secret. The one before signs too for OLD_SECRET_HOLDS; one before that no more."""
    row = outbox.locked(webhook.pk)
    if row is None:
        raise Refusal("not_found", "There is no such webhook.")
    row.old_secret, row.old_secret_until = row.secret, now + OLD_SECRET_HOLDS
    row.secret = signing.fresh_secret()
    row.save(update_fields=["secret", "old_secret", "old_secret_until", "updated_at"])
    record("rotate_secret", resource="webhook", resource_id=row.pk, client_id=row.client_id)
    return row


def send_test(*, webhook: Webhook, now: datetime) -> WebhookDelivery:
    """Sends a `webhook.test` at once, once, to a webhook that may be switched off; returns what became of it."""
    with transaction.atomic():
        data = {"webhook": {"id": webhook.pk, "url": webhook.url}}
        payload = catalogue.body_of(catalogue.TEST, data, at=now)
        row = _delivery(webhook, _new_id(), catalogue.TEST, payload, now=now, due=now)
        row.attempts_left = 1
        row.save()
        [claimed] = outbox.lease([row], now=now)
        record("test", resource="webhook", resource_id=webhook.pk, client_id=webhook.client_id)
    answer = sending.send(claimed.parcel)
    outbox.record(claimed, answer, now=clock.now())
    row.refresh_from_db()
    return row


@transaction.atomic
def redeliver(*, delivery: WebhookDelivery, now: datetime) -> WebhookDelivery:
    """Sends a delivery that has ended once more, soon, once, under its own `webhook-id`.

    Raises `Refusal`: `already_pending` while it is still being tried, `webhook_off` when nothing is sent there.
    """
    webhook = outbox.locked(delivery.webhook_id)
    row: WebhookDelivery | None = WebhookDelivery.objects.select_for_update().filter(pk=delivery.pk).first()
    if webhook is None or row is None:
        raise Refusal("not_found", "There is no such delivery.")
    if not webhook.is_active:
        raise Refusal("webhook_off", "The webhook is switched off; switch it on first.")
    if row.status == WebhookDelivery.Status.PENDING:
        raise Refusal("already_pending", "It is still being tried.")
    row.status = WebhookDelivery.Status.PENDING
    row.attempts_left = 1
    row.next_attempt_at = now
    row.save(update_fields=["status", "attempts_left", "next_attempt_at"])
    record(
        "redeliver",
        resource="webhook",
        resource_id=webhook.pk,
        client_id=webhook.client_id,
        details={"message_id": row.message_id, "type": row.type},
    )
    jobs.enqueue(send_due)
    return row
