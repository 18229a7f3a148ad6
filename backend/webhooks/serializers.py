"""Webhooks and deliveries in bodies and answers."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from common.serializers import TenantSerializer
from webhooks.domain import catalogue, targets
from webhooks.models import Webhook, WebhookDelivery

SHOWN_ONCE = "Signs every message (`whsec_…`). Shown this once; keep it where your receiver can read it."


class WebhookSerializer(TenantSerializer[Webhook]):
    """A URL that is told of events."""

    url = serializers.CharField(
        max_length=targets.LONGEST_URL,
        help_text="https:// on the public internet, port 443 or from 1024 up.",
    )
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=list(catalogue.TYPES)),
        allow_empty=False,
        max_length=50,
        help_text="Of which types of events it is told.",
    )
    is_active = serializers.BooleanField(
        default=True, help_text="false: nothing is sent, and nothing kept for later."
    )
    switched_off = serializers.ChoiceField(
        choices=Webhook.Off.choices,
        allow_blank=True,
        read_only=True,
        help_text="Why we switched it off; empty when nobody did, or a person.",
    )

    class Meta:
        model = Webhook
        fields = [
            "id",
            "client",
            "url",
            "description",
            "events",
            "is_active",
            "failures",
            "failing_since",
            "paused_until",
            "switched_off",
            "switched_off_at",
            "old_secret_until",
            "created_at",
            "updated_at",
        ]
        read_only_fields = [
            "failures",
            "failing_since",
            "paused_until",
            "switched_off",
            "switched_off_at",
            "old_secret_until",
            "created_at",
            "updated_at",
        ]
        extra_kwargs = {
            "failures": {"help_text": "Failed attempts in a row."},
            "failing_since": {"help_text": "The first of them."},
            "paused_until": {"help_text": "Its receiver asked to be left alone until then."},
            "old_secret_until": {"help_text": "Until then the secret before signs too."},
        }


class NewWebhookSerializer(WebhookSerializer):
    """A webhook that was just made, with its secret."""

    secret = serializers.CharField(read_only=True, help_text=SHOWN_ONCE)

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]


class SecretSerializer(serializers.ModelSerializer[Webhook]):
    """A new secret."""

    secret = serializers.CharField(read_only=True, help_text=SHOWN_ONCE)

    class Meta:
        model = Webhook
        fields = ["secret", "old_secret_until"]
        read_only_fields = fields


class WebhookDeliverySerializer(serializers.ModelSerializer[WebhookDelivery]):
    """One message to one webhook, and what became of it."""

    class Meta:
        model = WebhookDelivery
        fields = [
            "id",
            "message_id",
            "type",
            "status",
            "attempts",
            "next_attempt_at",
            "last_attempt_at",
            "duration_ms",
            "response_status",
            "response_body",
            "error_code",
            "error",
            "payload",
            "created_at",
        ]
        read_only_fields = fields
        extra_kwargs: dict[str, Any] = {
            "message_id": {"help_text": "The `webhook-id`: the same at every attempt."},
            "response_status": {"help_text": "HTTP status of the last attempt; null: there was no answer."},
            "response_body": {"help_text": "The beginning of the answer, up to 1,000 characters."},
            "error_code": {"help_text": "Stable; empty after a 2xx."},
            "error": {"help_text": "A sentence for a person."},
            "payload": {"help_text": "The exact body, as text."},
        }
