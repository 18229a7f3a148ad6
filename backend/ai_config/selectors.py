"""Reads about AI providers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from ai_config.adapters.catalogue import CATALOGUE, COPY, SPEECH, Speaks, Writes
from ai_config.domain.money import to_microusd, to_usd
from ai_config.models import AIProvider


@dataclass(frozen=True, slots=True)
class Spending:
    """Where a provider stands against its limits; reservations count. Dollars."""

    requests_today: int
    requests_left_today: int
    spent_this_month_usd: Decimal
    left_this_month_usd: Decimal


def spending_of(provider: AIProvider, *, now: datetime) -> Spending:
    """The spending of the UTC day and month of `now`."""
    today = now.date()
    requests = provider.requests_today if provider.usage_day == today else 0
    spent = provider.spent_microusd if provider.usage_month == today.replace(day=1) else 0
    return Spending(
        requests,
        max(0, provider.daily_request_limit - requests),
        to_usd(spent),
        to_usd(max(0, to_microusd(provider.monthly_budget_usd) - spent)),
    )


def active_providers(kind: str) -> list[AIProvider]:
    """The accounts that serve `kind` and are switched on, in the order in which they are tried; keys unread."""
    serving = [name for name, entry in CATALOGUE.items() if kind in entry.kinds]
    return list(AIProvider.objects.filter(is_active=True, provider__in=serving).defer("api_key"))


def speaking_part(provider: AIProvider) -> Speaks:
    """How this account speaks. Raises ValueError if it does not."""
    if provider.entry.speaks is None:
        raise ValueError(f"{provider} does not serve {SPEECH}")
    return provider.entry.speaks


def writing_part(provider: AIProvider) -> Writes:
    """How this account writes. Raises ValueError if it does not."""
    if provider.entry.writes is None:
        raise ValueError(f"{provider} does not serve {COPY}")
    return provider.entry.writes


@dataclass(frozen=True, slots=True)
class InForce:
    """The settings of an account, the catalogue's in place of empty ones. None: it does not serve that."""

    speech_model: str | None = None
    default_voice: str | None = None
    price_per_1000_characters_usd: Decimal | None = None
    copy_model: str | None = None
    price_per_1000_input_tokens_usd: Decimal | None = None
    price_per_1000_output_tokens_usd: Decimal | None = None


def in_force(provider: AIProvider) -> InForce:
    """What calls go by."""
    speaks, writes = provider.entry.speaks, provider.entry.writes
    found = InForce()
    if speaks is not None:
        found = replace(
            found,
            speech_model=provider.speech_model or speaks.model,
            default_voice=provider.default_voice or speaks.voice,
            price_per_1000_characters_usd=_or(
                provider.price_per_1000_characters_usd, speaks.per_1000_characters
            ),
        )
    if writes is not None:
        found = replace(
            found,
            copy_model=provider.copy_model or writes.model,
            price_per_1000_input_tokens_usd=_or(
                provider.price_per_1000_input_tokens_usd, writes.per_1000_input
            ),
            price_per_1000_output_tokens_usd=_or(
                provider.price_per_1000_output_tokens_usd, writes.per_1000_output
            ),
        )
    return found


def _or(own: Decimal | None, usual: Decimal) -> Decimal:
    """A price of 0 is a price."""
    return usual if own is None else own
