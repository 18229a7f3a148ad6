"""AI providers as sync2gear's staff see and set them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ai_config.adapters.catalogue import KINDS
from ai_config.domain.breaker import STATES
from ai_config.domain.money import to_usd
from ai_config.models import AIProvider, AIUsage
from ai_config.selectors import in_force, spending_of
from common import clock


def usd(digits: int, **options: Any) -> serializers.DecimalField:
    """An amount of US dollars."""
    return serializers.DecimalField(max_digits=18, decimal_places=digits, **options)


class InForceSerializer(serializers.Serializer[Any]):
    """What calls go by: the account's own settings, the usual ones where it has none; null: it does not serve that."""

    speech_model = serializers.CharField(allow_null=True)
    default_voice = serializers.CharField(allow_null=True)
    price_per_1000_characters_usd = usd(6, allow_null=True)
    copy_model = serializers.CharField(allow_null=True)
    price_per_1000_input_tokens_usd = usd(6, allow_null=True)
    price_per_1000_output_tokens_usd = usd(6, allow_null=True)


class SpendingSerializer(serializers.Serializer[Any]):
    """Against the limits, in this UTC day and month; calls under way count at their estimate."""

    requests_today = serializers.IntegerField()
    requests_left_today = serializers.IntegerField()
    spent_this_month_usd = usd(6)
    left_this_month_usd = usd(6)


class BreakerSerializer(serializers.Serializer[Any]):
    """Whether the account is being left alone after failures."""

    state = serializers.ChoiceField(choices=STATES)
    open_until = serializers.DateTimeField(allow_null=True)
    failures_in_a_row = serializers.IntegerField()
    last_failure_code = serializers.CharField(help_text="Empty: it has never failed.")
    last_failure_detail = serializers.CharField()
    last_failure_at = serializers.DateTimeField(allow_null=True)


class ProviderSerializer(serializers.ModelSerializer[AIProvider]):
    """An account. Empty models, voice and prices mean the usual ones; `in_force` says them."""

    api_key = serializers.CharField(
        write_only=True, max_length=500, help_text="Kept encrypted; never shown again but for its last four."
    )
    key_last_four = serializers.CharField(source="key_hint", read_only=True)
    kinds = serializers.SerializerMethodField(help_text="What it serves; follows from `provider`.")
    in_force = serializers.SerializerMethodField()
    spending = serializers.SerializerMethodField()
    breaker = serializers.SerializerMethodField()

    class Meta:
        model = AIProvider
        fields = [
            "id",
            "name",
            "provider",
            "kinds",
            "api_key",
            "key_last_four",
            "is_active",
            "order",
            "base_url",
            "speech_model",
            "copy_model",
            "default_voice",
            "price_per_1000_characters_usd",
            "price_per_1000_input_tokens_usd",
            "price_per_1000_output_tokens_usd",
            "in_force",
            "daily_request_limit",
            "monthly_budget_usd",
            "spending",
            "breaker",
            "total_requests",
            "total_tokens",
            "total_cost_usd",
            "last_used",
            "created_at",
        ]
        read_only_fields = ["total_requests", "total_tokens", "total_cost_usd", "last_used", "created_at"]
        extra_kwargs = {
            "order": {"help_text": "The lowest is tried first."},
            "base_url": {"help_text": "Instead of the provider's own address; https, without `/v1`."},
            "default_voice": {"help_text": "The provider's own name of it, without a prefix."},
            "provider": {"help_text": "Fixed once the account exists."},
            "daily_request_limit": {"help_text": "Calls in a UTC day; 0: none."},
            "monthly_budget_usd": {"help_text": "For a UTC month. No call is made that could exceed it."},
            "total_cost_usd": {"help_text": "Since it was made, rounded up to cents."},
        }

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(choices=KINDS)))
    def get_kinds(self, provider: AIProvider) -> list[str]:
        """What it serves."""
        return list(provider.entry.kinds)

    @extend_schema_field(InForceSerializer)
    def get_in_force(self, provider: AIProvider) -> Any:
        """What calls go by."""
        return InForceSerializer(asdict(in_force(provider))).data

    @extend_schema_field(SpendingSerializer)
    def get_spending(self, provider: AIProvider) -> Any:
        """Where it stands now."""
        return SpendingSerializer(asdict(spending_of(provider, now=clock.now()))).data

    @extend_schema_field(BreakerSerializer)
    def get_breaker(self, provider: AIProvider) -> Any:
        """How it fares."""
        return BreakerSerializer(
            {
                "state": provider.breaker.state(clock.now()),
                "open_until": provider.open_until,
                "failures_in_a_row": provider.failures_in_a_row,
                "last_failure_code": provider.last_failure_code,
                "last_failure_detail": provider.last_failure_detail,
                "last_failure_at": provider.last_failure_at,
            }
        ).data


class TrialAskedSerializer(serializers.Serializer[Any]):
    """What to try."""

    kind = serializers.ChoiceField(choices=KINDS, required=False, help_text="Left out: the first it serves.")


class TrialSerializer(serializers.Serializer[Any]):
    """What a tiny call came to."""

    ok = serializers.BooleanField()
    kind = serializers.ChoiceField(choices=KINDS)
    code = serializers.CharField(help_text="Empty: it worked.")
    detail = serializers.CharField()
    model = serializers.CharField()
    latency_ms = serializers.IntegerField()
    cost_usd = usd(6)


class UsageSerializer(serializers.ModelSerializer[AIUsage]):
    """What one business used of it on one UTC day; `client` null: sync2gear's own tests."""

    client_name = serializers.SerializerMethodField(help_text="Empty: there is none, or it is gone.")
    client = serializers.IntegerField(source="client_id", allow_null=True)
    cost_usd = serializers.SerializerMethodField()

    class Meta:
        model = AIUsage
        fields = [
            "day",
            "client",
            "client_name",
            "requests",
            "failures",
            "characters",
            "input_tokens",
            "output_tokens",
            "cost_usd",
        ]

    def get_client_name(self, usage: AIUsage) -> str:
        """The name of the business today."""
        return str(usage.client) if usage.client is not None else ""

    @extend_schema_field(usd(6))
    def get_cost_usd(self, usage: AIUsage) -> str:
        """Dollars."""
        return str(to_usd(usage.cost_microusd))
