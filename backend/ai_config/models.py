"""AI providers that sync2gear's staff configure."""

from __future__ import annotations

from django.db import models

from audit.services import audited
from common.crypto import EncryptedTextField


@audited(
    "ai_provider",
    ignore=("total_requests", "total_tokens", "total_cost_usd", "last_used"),
    secret=("api_key",),
)
class AIProvider(models.Model):
    """One account at a provider of speech or text. Its key is encrypted at rest and never leaves the server."""

    class Provider(models.TextChoices):
        """Whose API it is."""

        OPENAI = "openai", "OpenAI"
        ANTHROPIC = "anthropic", "Anthropic"
        GOOGLE = "google", "Google AI"
        ELEVENLABS = "elevenlabs", "ElevenLabs"

    name = models.CharField(max_length=255)
    provider = models.CharField(max_length=50, choices=Provider.choices)
    api_key = EncryptedTextField(max_length=500)
    is_active = models.BooleanField(default=True)

    total_requests = models.BigIntegerField(default=0)
    total_tokens = models.BigIntegerField(default=0)
    total_cost_usd = models.DecimalField(max_digits=10, decimal_places=2, default=0)

    daily_request_limit = models.IntegerField(default=1000)
    monthly_budget_usd = models.DecimalField(max_digits=10, decimal_places=2, default=500)

    last_used = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "ai_providers"
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.provider})"
