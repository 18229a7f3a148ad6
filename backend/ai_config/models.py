"""AI providers that sync2gear's staff configure, what was reserved at them and what they were used for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models

from ai_config.adapters.catalogue import CATALOGUE, Entry
from ai_config.domain.breaker import Breaker
from ai_config.validators import validate_provider_address
from audit.models import KEPT
from audit.services import audited
from common.crypto import EncryptedTextField

COUNTED = (
    "total_requests",
    "total_tokens",
    "total_cost_usd",
    "last_used",
    "usage_day",
    "requests_today",
    "usage_month",
    "spent_microusd",
    "total_microusd",
    "failures_in_a_row",
    "rests_in_a_row",
    "open_until",
    "last_failure_code",
    "last_failure_detail",
    "last_failure_at",
)
"""The columns that calls write: `reservations` and `calls` alone, each by a statement of its own."""

_PRICE: dict[str, Any] = {
    "max_digits": 10,
    "decimal_places": 6,
    "null": True,
    "blank": True,
    "validators": [MinValueValidator(0)],
}
SHORTEST_HINTED = 12
"""Of a shorter key the last four characters would say too much."""


@audited("ai_provider", ignore=COUNTED, secret=("api_key",))
class AIProvider(models.Model):
    """One account at a provider of speech or text. Its key is encrypted at rest and never leaves the server.

    What it serves follows from `provider`. Empty models, voice and prices mean those of `adapters.catalogue`. Accounts
    are tried by `order`, the lowest first. A day and a month begin at midnight UTC; `requests_today` and
    `spent_microusd` count for `usage_day` and `usage_month`, reservations included.
    """

    class Provider(models.TextChoices):
        """Whose API it is."""

        OPENAI = "openai", "OpenAI"
        ANTHROPIC = "anthropic", "Anthropic"
        GOOGLE = "google", "Google AI"
        ELEVENLABS = "elevenlabs", "ElevenLabs"

    name = models.CharField(max_length=255)
    provider = models.CharField(max_length=50, choices=Provider.choices)
    api_key = EncryptedTextField(max_length=500)
    key_hint = models.CharField(max_length=4, blank=True, editable=False)
    is_active = models.BooleanField(default=True)
    order = models.PositiveSmallIntegerField(default=100)
    base_url = models.CharField(max_length=300, blank=True, validators=[validate_provider_address])
    speech_model = models.CharField(max_length=100, blank=True)
    copy_model = models.CharField(max_length=100, blank=True)
    default_voice = models.CharField(max_length=80, blank=True)
    price_per_1000_characters_usd = models.DecimalField(**_PRICE)
    price_per_1000_input_tokens_usd = models.DecimalField(**_PRICE)
    price_per_1000_output_tokens_usd = models.DecimalField(**_PRICE)

    total_requests = models.BigIntegerField(default=0)
    total_tokens = models.BigIntegerField(default=0)
    total_cost_usd = models.DecimalField(max_digits=10, decimal_places=2, default=0)

    daily_request_limit = models.IntegerField(default=1000, validators=[MinValueValidator(0)])
    monthly_budget_usd = models.DecimalField(
        max_digits=10, decimal_places=2, default=500, validators=[MinValueValidator(0)]
    )

    last_used = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    usage_day = models.DateField(null=True, blank=True, editable=False)
    requests_today = models.IntegerField(default=0, editable=False)
    usage_month = models.DateField(null=True, blank=True, editable=False)
    spent_microusd = models.BigIntegerField(default=0, editable=False)
    total_microusd = models.BigIntegerField(default=0, editable=False)

    failures_in_a_row = models.PositiveIntegerField(default=0, editable=False)
    rests_in_a_row = models.PositiveSmallIntegerField(default=0, editable=False)
    open_until = models.DateTimeField(null=True, blank=True, editable=False)
    last_failure_code = models.CharField(max_length=40, blank=True, editable=False)
    last_failure_detail = models.CharField(max_length=300, blank=True, editable=False)
    last_failure_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "ai_providers"
        ordering = ["order", "name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.provider})"

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Saves what people set. What calls count is left alone unless named, so that no call is forgotten."""
        if update_fields is None and not self._state.adding:
            update_fields = [
                field.name
                for field in self._meta.concrete_fields
                if not field.primary_key and field.name not in COUNTED
            ]
        if update_fields is None or "api_key" in update_fields:
            self.key_hint = self.api_key[-4:] if len(self.api_key) >= SHORTEST_HINTED else ""
            update_fields = None if update_fields is None else {*update_fields, "key_hint"}
        super().save(*args, update_fields=update_fields, **kwargs)

    def clean(self) -> None:
        """A key of nothing but white space is none."""
        super().clean()
        if not self.api_key.strip():
            raise ValidationError({"api_key": ValidationError("Give the key.", code="blank")})

    @property
    def entry(self) -> Entry:
        """What the catalogue says of its provider."""
        return CATALOGUE[self.provider]

    @property
    def breaker(self) -> Breaker:
        """Whether it is being left alone."""
        return Breaker(self.failures_in_a_row, self.rests_in_a_row, self.open_until)


class AIReservation(models.Model):
    """A call that was counted before it is made. It goes when the call is settled; one that stays has lost its worker.

    `day` is the UTC day it counts for, `estimate_microusd` the most that it may cost.
    """

    provider = models.ForeignKey(AIProvider, on_delete=models.CASCADE, related_name="reservations")
    client_id = models.BigIntegerField(null=True)
    kind = models.CharField(max_length=10)
    day = models.DateField()
    estimate_microusd = models.BigIntegerField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "ai_reservations"

    def __str__(self) -> str:
        return f"{self.kind} at {self.provider_id}, {self.created_at:%Y-%m-%d %H:%M:%S}"


class AIUsage(models.Model):
    """What one business used of one provider on one UTC day; `client` null: sync2gear's own tests.

    It outlives provider and business: `provider_name` is the name of the day. `failures` cost nothing.
    """

    provider = models.ForeignKey(AIProvider, **KEPT)
    provider_name = models.CharField(max_length=255)
    client = models.ForeignKey("clients.Client", null=True, **KEPT)
    day = models.DateField()
    requests = models.IntegerField(default=0)
    failures = models.IntegerField(default=0)
    characters = models.BigIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cost_microusd = models.BigIntegerField(default=0)

    class Meta:
        db_table = "ai_usage"
        ordering = ["-day", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "client", "day"], name="ai_usage_once"),
            models.UniqueConstraint(
                fields=["provider", "day"], condition=models.Q(client=None), name="ai_usage_own_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider_name}, {self.day}"
