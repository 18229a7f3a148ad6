"""The outbox: which deliveries are tried next, and what their attempts came to.

A delivery is leased while it is tried. A process that dies lets its leases run out, and somebody else takes them:
a message may arrive twice, always under the same `webhook-id`, and none is lost.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Window
from django.db.models.functions import RowNumber

from audit.services import record as record_action
from common.tenancy import system_scope
from webhooks.domain import catalogue, retries, signing
from webhooks.models import LONGEST_EXCERPT, Webhook, WebhookDelivery
from webhooks.sending import Answer, Parcel

LEASE = timedelta(seconds=60)
"""Far longer than an attempt may take."""
MOST_OF_A_CLIENT = 4
"""So many deliveries of one business are tried at a time, by one process after another's count: a slow receiver of
one business cannot hold more."""

Status = WebhookDelivery.Status
_chance = secrets.SystemRandom().random


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is this caller's to try, until `leased_until`."""

    pk: int
    webhook_pk: int
    leased_until: datetime
    parcel: Parcel


def claim(*, now: datetime, most: int) -> list[Claimed]:
    """Leases at most `most` due deliveries, every business's oldest first, none beyond MOST_OF_A_CLIENT."""
    with system_scope("deliveries of all businesses take turns"):
        wanted = _next(now)[:most]
        if not wanted:  # most often: no lock is taken for that
            return []
        with transaction.atomic():
            rows = WebhookDelivery.objects.select_for_update(of=("self",), skip_locked=True)
            chosen = rows.due(now).filter(pk__in=wanted).select_related("webhook").order_by("pk")
            return lease(chosen, now=now)


def _next(now: datetime) -> list[int]:
    """Keys of what is due, in turns: the first of every business, then the second of every business, …"""
    held = WebhookDelivery.objects.filter(status=Status.PENDING, leased_until__gt=now)
    busy: dict[int, int] = {
        row["client_id"]: row["held"]
        for row in held.order_by().values("client_id").annotate(held=Count("pk"))
    }
    turn = Window(RowNumber(), partition_by="client_id", order_by=["next_attempt_at", "pk"])
    due = WebhookDelivery.objects.due(now).annotate(turn=turn).filter(turn__lte=MOST_OF_A_CLIENT)
    return [
        pk
        for pk, client_id, place in due.order_by("turn", "next_attempt_at", "pk").values_list(
            "pk", "client_id", "turn"
        )
        if place + busy.get(client_id, 0) <= MOST_OF_A_CLIENT
    ]


def lease(rows: Iterable[WebhookDelivery], *, now: datetime) -> list[Claimed]:
    """Leases these rows, which the caller has locked, and makes what is to be sent."""
    taken = list(rows)
    until = now + LEASE
    WebhookDelivery.objects.filter(pk__in=[row.pk for row in taken]).update(leased_until=until)
    return [Claimed(row.pk, row.webhook_id, until, _parcel(row, now)) for row in taken]


def _parcel(row: WebhookDelivery, now: datetime) -> Parcel:
    body = row.payload.encode()
    signatures = signing.headers(row.webhook.secrets_at(now), message_id=row.message_id, at=now, body=body)
    return Parcel(url=row.webhook.url, headers={"Content-Type": "application/json", **signatures}, body=body)


@transaction.atomic
def record(claimed: Claimed, answer: Answer, *, now: datetime) -> None:
    """Writes what one attempt came to, unless the lease was lost to somebody else or the row is gone.

    A test says nothing about a webhook: it neither pauses nor switches off.
    """
    with system_scope("whoever tried it writes the outcome"):
        webhook = locked(claimed.webhook_pk)
        held = WebhookDelivery.objects.select_for_update().filter(
            pk=claimed.pk, leased_until=claimed.leased_until
        )
        row = held.first()
        if webhook is None or row is None:
            return
        _write(row, answer, now)
        if row.type == catalogue.TEST:
            return
        if answer.arrived:
            Webhook.objects.filter(pk=webhook.pk, failures__gt=0).update(failures=0, failing_since=None)
        else:
            _count_failure(webhook, answer, now)


def locked(webhook_pk: int) -> Webhook | None:
    """The webhook under its lock, which is taken before that of its deliveries, everywhere.

    It leaves room for new deliveries, whose keys point at the row.
    """
    row: Webhook | None = Webhook.objects.select_for_update(no_key=True).filter(pk=webhook_pk).first()
    return row


def _write(row: WebhookDelivery, answer: Answer, now: datetime) -> None:
    row.attempts += 1
    row.attempts_left = max(0, row.attempts_left - 1)
    row.last_attempt_at = now
    row.leased_until = None
    row.duration_ms = answer.duration_ms
    row.response_status = answer.status
    row.response_body = answer.body[:LONGEST_EXCERPT]
    row.error_code, row.error = answer.error_code, answer.error
    pause = retries.pause(
        row.attempts_left, chance=_chance(), asked=retries.wait_asked(answer.retry_after, now=now)
    )
    if answer.arrived:
        row.status, row.next_attempt_at = Status.DELIVERED, None
    elif pause is None or answer.status == 410:
        row.status, row.next_attempt_at = Status.FAILED, None
    else:
        row.next_attempt_at = now + pause
    row.save()


def _count_failure(webhook: Webhook, answer: Answer, now: datetime) -> None:
    """Counts a failure; pauses the webhook if its receiver asks, and switches it off if that was one too many."""
    webhook.failures += 1
    webhook.failing_since = webhook.failing_since or now
    asked = retries.wait_asked(answer.retry_after, now=now)
    if asked is not None:
        webhook.paused_until = now + asked
    webhook.save(update_fields=["failures", "failing_since", "paused_until"])
    if not webhook.is_active:
        return
    if answer.status == 410:
        _switch_off(webhook, Webhook.Off.GONE, now)
    elif retries.gives_up(failures=webhook.failures, failing_since=webhook.failing_since, now=now):
        _switch_off(webhook, Webhook.Off.FAILING, now)


def _switch_off(webhook: Webhook, why: Webhook.Off, now: datetime) -> None:
    webhook.is_active = False
    webhook.switched_off = why
    webhook.switched_off_at = now
    webhook.mail_owed = True
    webhook.save(update_fields=["is_active", "switched_off", "switched_off_at", "mail_owed", "updated_at"])
    end_pending(webhook)
    record_action(
        "switch_off",
        resource="webhook",
        resource_id=webhook.pk,
        client_id=webhook.client_id,
        details={"url": webhook.url, "why": why, "failures": webhook.failures},
    )


def end_pending(webhook: Webhook) -> int:
    """What waits for a webhook that is switched off has failed; it can be sent again by hand."""
    return (
        WebhookDelivery.objects.filter(webhook=webhook, status=Status.PENDING)
        .exclude(type=catalogue.TEST)
        .update(
            status=Status.FAILED,
            next_attempt_at=None,
            leased_until=None,
            error_code="switched_off",
            error="The webhook was switched off.",
        )
    )
