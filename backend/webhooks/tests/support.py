"""What tests of events share, of all apps: a webhook that subscribes to everything, and what it is told."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator

from common.tenancy import system_scope
from webhooks.domain import catalogue, signing
from webhooks.models import Webhook, WebhookDelivery
from webhooks.openapi import body_schema


def make_webhook(business: Any, **columns: Any) -> Webhook:
    """Subscribed to everything, unless it is said otherwise."""
    defaults = {
        "url": "https://8.8.8.8/hook",
        "events": sorted(catalogue.TYPES),
        "secret": signing.fresh_secret(),
    }
    with system_scope("test data"):
        webhook: Webhook = Webhook.objects.create(client=business.client, **(defaults | columns))
    return webhook


def told(business: Any) -> list[tuple[str, Any]]:
    """Type and data of each message to this business, oldest first, each held to its published schema."""
    with system_scope("the test looks into the outbox"):
        rows = WebhookDelivery.objects.filter(client=business.client).order_by("pk")
        bodies = [json.loads(row.payload) for row in rows]
    for body in bodies:
        kind = catalogue.TYPES[body["type"]]
        Draft202012Validator(body_schema(body["type"], kind)).validate(body)
        assert _names(body["data"]) <= _names(kind.example), "the example lacks something"
    return [(body["type"], body["data"]) for body in bodies]


def _names(value: Any) -> set[str]:
    """All names of members, at any depth."""
    match value:
        case dict():
            return set(value).union(*(_names(inner) for inner in value.values()))
        case list():
            return set().union(*map(_names, value))
        case _:
            return set()
