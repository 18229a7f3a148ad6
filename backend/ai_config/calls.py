"""Calling a provider: reserved before, settled after, its failures remembered.

What leaves here as speech has been decoded: a provider that answers with something else has failed.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.db import transaction

from ai_config import reservations
from ai_config.adapters.catalogue import COPY, SPEECH
from ai_config.adapters.errors import ProviderError
from ai_config.adapters.values import Account, Bounds, Copy, CopyAsked, OfferedVoice, Speech, SpeechAsked
from ai_config.domain.breaker import after_failure
from ai_config.domain.money import copy_cost, speech_cost, to_usd
from ai_config.models import AIProvider
from ai_config.reservations import Use
from ai_config.selectors import in_force, speaking_part, writing_part
from common import clock
from common.audio import isolated
from common.audio.errors import AudioRefused, IsolationFailed
from common.audio.values import AudioFacts, Limits
from common.crypto import CannotDecrypt

logger = logging.getLogger(__name__)

T = TypeVar("T")

TOKENS_OVERHEAD = 64
"""What a provider adds to a request of ours, at most: names of roles and the like."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Decodable speech, who made it and what it cost."""

    audio: bytes
    facts: AudioFacts
    model: str
    voice: str
    cost_usd: Decimal


@dataclass(frozen=True, slots=True)
class Written:
    """A text, who wrote it and what it cost."""

    text: str
    model: str
    cost_usd: Decimal


def speak(
    provider: AIProvider,
    *,
    text: str,
    voice: str,
    language: str,
    client_id: int | None,
    bounds: Bounds,
    testing: bool = False,
) -> Spoken:
    """Has this account speak `text`; `voice` is the provider's own name, empty for the account's default.

    Raises ProviderError and NotReserved.
    """
    speaks, own = speaking_part(provider), in_force(provider)
    if not speaks.fits(text):
        raise ProviderError("refused", "The text is longer than this provider takes.")
    price = own.price_per_1000_characters_usd or Decimal(0)
    asked = SpeechAsked(text, voice or own.default_voice or "", language)

    def call(account: Account) -> tuple[tuple[Speech, AudioFacts], Use]:
        speech = speaks.speak(account, asked, bounds)
        characters = len(text) if speech.characters is None else speech.characters
        cost = speech_cost(characters, per_1000_characters=price)
        return (speech, _examined(speech.audio)), Use(cost, characters=characters)

    (speech, facts), use = _call(
        provider,
        call,
        kind=SPEECH,
        estimate=speech_cost(len(text), per_1000_characters=price),
        client_id=client_id,
        testing=testing,
    )
    return Spoken(speech.audio, facts, own.speech_model or "", asked.voice, to_usd(use.cost_microusd))


def write(
    provider: AIProvider,
    asked: CopyAsked,
    *,
    client_id: int | None,
    bounds: Bounds,
    testing: bool = False,
) -> Written:
    """Has this account write. Raises ProviderError and NotReserved."""
    writes, own = writing_part(provider), in_force(provider)

    def cost(read: int, written: int) -> int:
        return copy_cost(
            read,
            written,
            per_1000_input=own.price_per_1000_input_tokens_usd or Decimal(0),
            per_1000_output=own.price_per_1000_output_tokens_usd or Decimal(0),
        )

    def call(account: Account) -> tuple[Copy, Use]:
        copy = writes.write(account, asked, bounds)
        use = Use(
            cost(copy.input_tokens, copy.output_tokens),
            input_tokens=copy.input_tokens,
            output_tokens=copy.output_tokens,
        )
        return copy, use

    # A token is at least one byte of what is sent, whatever the tokeniser.
    most_read = len((asked.system + asked.prompt).encode()) + TOKENS_OVERHEAD
    copy, use = _call(
        provider,
        call,
        kind=COPY,
        estimate=cost(most_read, asked.max_output_tokens),
        client_id=client_id,
        testing=testing,
    )
    return Written(copy.text, own.copy_model or "", to_usd(use.cost_microusd))


def offered_voices(provider: AIProvider, bounds: Bounds) -> list[OfferedVoice]:
    """The voices of this account; listing them costs nothing and is not counted. Raises ProviderError."""
    return speaking_part(provider).voices(_account(provider), bounds)


def _call(
    provider: AIProvider,
    call: Callable[[Account], tuple[T, Use]],
    *,
    kind: str,
    estimate: int,
    client_id: int | None,
    testing: bool,
) -> tuple[T, Use]:
    now = clock.now()
    reservation = reservations.reserve(
        provider_id=provider.pk,
        client_id=client_id,
        kind=kind,
        estimate_microusd=estimate,
        now=now,
        testing=testing,
    )
    try:
        result, use = call(_account(provider))
    except ProviderError as error:
        if error.charged:
            reservations.settle(reservation=reservation, use=None)
        else:
            reservations.release(reservation=reservation)
        _failed(provider.pk, error, now=clock.now())
        raise
    except Exception:  # whatever it was, the provider may have charged for it
        reservations.settle(reservation=reservation, use=None)
        raise
    reservations.settle(reservation=reservation, use=use)
    _worked(provider.pk)
    return result, use


def _account(provider: AIProvider) -> Account:
    own = in_force(provider)
    try:
        key = provider.api_key
    except CannotDecrypt:
        raise ProviderError(
            "key_unreadable", "None of ENCRYPTION_KEYS opens this account's key: make the account anew."
        ) from None
    return Account(key.strip(), provider.base_url, own.speech_model or "", own.copy_model or "")


def _examined(audio: bytes) -> AudioFacts:
    """The facts of what came. Raises ProviderError `broken_audio` if it cannot be decoded to its end."""
    limits = Limits(max_bytes=len(audio), max_duration_ms=settings.MAX_ANNOUNCEMENT_MS)
    with tempfile.TemporaryDirectory(prefix="provider-") as folder:
        path = Path(folder) / "speech"
        path.write_bytes(audio)
        try:
            return isolated.inspect(path, limits)
        except (AudioRefused, IsolationFailed) as error:
            raise ProviderError(
                "broken_audio", f"What came cannot be used as speech: {error.code}.", charged=True
            ) from error


@transaction.atomic
def _failed(provider_id: int, error: ProviderError, *, now: datetime) -> None:
    """Remembers a failure, and opens the breaker if it is time."""
    provider = AIProvider.objects.select_for_update().defer("api_key").filter(pk=provider_id).first()
    if provider is None:
        return
    after = after_failure(provider.breaker, error.code, retry_after_s=error.retry_after_s, now=now)
    logger.warning("AI provider %s failed (%s)", provider_id, error)
    AIProvider.objects.filter(pk=provider_id).update(
        failures_in_a_row=after.failures,
        rests_in_a_row=after.rests,
        open_until=after.open_until,
        last_failure_code=error.code,
        last_failure_detail=error.detail[:300],
        last_failure_at=now,
    )


def _worked(provider_id: int) -> None:
    """Closes the breaker."""
    AIProvider.objects.filter(pk=provider_id).exclude(
        failures_in_a_row=0, rests_in_a_row=0, open_until=None
    ).update(failures_in_a_row=0, rests_in_a_row=0, open_until=None)
