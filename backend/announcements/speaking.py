"""Who speaks a text: the voice asked for, else the providers in their order, else a voice of this server.

A provider is asked only when its clip is not there already. Credits are taken before the first is asked and given back
when none has spoken: 1 for every 1,000 characters begun. The voices of this server are free.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings

from ai_config import calls
from ai_config.adapters.catalogue import CATALOGUE, SPEECH
from ai_config.adapters.errors import ProviderError
from ai_config.adapters.values import Bounds
from ai_config.models import AIProvider
from ai_config.reservations import NotReserved
from ai_config.selectors import active_providers, in_force
from announcements import clips, selectors
from announcements.models import SpeechClip
from announcements.speech.errors import VoiceUnknown
from announcements.speech.text import language_of, prepare
from announcements.speech.values import Voice
from clients import credits
from clients.models import CreditHold
from common import clock

LOCAL = "local"
CREDIT_CHARACTERS = 1000
"""One credit buys so many characters, begun ones included."""
SPEAKERS = frozenset(name for name, entry in CATALOGUE.items() if SPEECH in entry.kinds)
"""The providers that have voices; `elevenlabs:…` names one."""


def credits_for(text: str) -> int:
    """The price of speaking this text once by a provider."""
    return -(-len(text) // CREDIT_CHARACTERS)


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Who should have spoken and did not, and the code of the reason. `provider` is the account's name."""

    provider: str
    code: str


@dataclass(frozen=True, slots=True)
class Record:
    """Who spoke, as it is kept and shown.

    `kind` is the provider, or `local`; `provider` the account's name, empty for local; `voice` as the list of voices
    names it; `cost_usd` and `credits` of this time, 0 when `cached`. `fallback`: not the first choice, see
    `passed_over`.
    """

    kind: str
    provider: str
    model: str
    voice: str
    cost_usd: str = "0.000000"
    credits: int = 0
    cached: bool = False
    passed_over: tuple[PassedOver, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For a JSON column."""
        shown = asdict(self)
        return shown | {"passed_over": list(shown["passed_over"]), "fallback": bool(self.passed_over)}


@dataclass(frozen=True, slots=True)
class Tried:
    """What asking the providers came to: a clip and its record, or those who were passed over."""

    clip: SpeechClip | None
    record: Record | None
    passed_over: tuple[PassedOver, ...]


def provider_of(voice: str) -> str:
    """The provider whose voice this is; empty for a voice of this server, or none."""
    kind = voice.partition(":")[0]
    return kind if kind in SPEAKERS else ""


def ask_providers(
    *,
    text: str,
    voice: str,
    language: str,
    client_id: int,
    bounds: Bounds,
    patience_s: float,
    now: datetime,
) -> Tried:
    """Has a provider speak `text` for this business, or finds its clip; gives up after `patience_s`.

    Asks nobody when `voice` is one of this server.
    """
    words = prepare(text, max_chars=settings.MAX_SPEECH_CHARACTERS)
    language = language or language_of(words) or ""
    asked = provider_of(voice)
    if voice and not asked:
        return Tried(None, None, ())
    accounts = active_providers(SPEECH)
    passed: list[PassedOver] = []
    if asked and all(account.provider != asked for account in accounts):
        passed.append(PassedOver(asked, "inactive"))
    till = _Till(client_id, credits_for(words))
    failed: set[int] = set()
    give_up_at = time.monotonic() + patience_s
    try:
        for account, name in _candidates(accounts, voice):
            if account.pk in failed:
                continue
            found = _clip_of(account, name, words, language, client_id, now)
            if found is not None:
                record = _record(account, found, passed, cached=True)
                return Tried(found, record, tuple(passed))
            code = "out_of_time" if time.monotonic() > give_up_at else "" if till.pay() else "out_of_credits"
            if not code:
                try:
                    spoken = calls.speak(
                        account, text=words, voice=name, language=language, client_id=client_id, bounds=bounds
                    )
                except (ProviderError, NotReserved) as error:
                    code = error.code
                else:
                    clip = _kept(account, spoken, words, language, client_id)
                    till.close()
                    record = _record(
                        account, clip, passed, cost_usd=f"{spoken.cost_usd:.6f}", credits=till.price
                    )
                    return Tried(clip, record, tuple(passed))
            passed.append(PassedOver(account.name, code))
            if code != "voice_unknown":
                failed.add(account.pk)
    finally:
        till.settle()
    return Tried(None, None, tuple(passed))


def local_voice(*, text: str, voice: str, language: str) -> tuple[Voice, tuple[PassedOver, ...]]:
    """The voice of this server that speaks: the one asked for if it is one and is here, else the best.

    Raises VoiceUnknown when no voice speaks the language.
    """
    wanted = "" if provider_of(voice) else voice
    try:
        return selectors.voice_for(text=text, voice=wanted, language=language), ()
    except VoiceUnknown as unknown:
        if unknown.code != "voice_unknown":
            raise
    best = selectors.voice_for(text=text, voice="", language=language)
    return best, (PassedOver(LOCAL, "voice_unknown"),)


def local_record(voice: Voice, passed: Sequence[PassedOver]) -> Record:
    """The record of a voice of this server."""
    return Record(LOCAL, "", voice.engine, voice.id, passed_over=tuple(passed))


class _Till:
    """The credits of one text: taken once, given back unless `close` was called."""

    def __init__(self, client_id: int, price: int) -> None:
        self._client_id = client_id
        self.price = price
        self._asked = False
        self._hold: CreditHold | None = None

    def pay(self) -> bool:
        """Takes the price the first time; whether it was there."""
        if not self._asked:
            self._asked = True
            self._hold = credits.take(client_id=self._client_id, credits=self.price, now=clock.now())
        return self._hold is not None

    def close(self) -> None:
        """Something was made for it."""
        if self._hold is not None:
            credits.keep(self._hold)
            self._hold = None

    def settle(self) -> None:
        """Gives back what bought nothing."""
        if self._hold is not None:
            credits.give_back(self._hold)


def _candidates(accounts: Sequence[AIProvider], voice: str) -> Iterator[tuple[AIProvider, str]]:
    """Accounts and the provider's own name of a voice: those that have the voice asked for, then all by their own."""
    asked, _, name = voice.partition(":")
    first = [(account, name) for account in accounts if voice and account.provider == asked]
    yield from first
    for account in accounts:
        own = (account, in_force(account).default_voice or "")
        if own not in first:
            yield own


def _key(account: AIProvider, name: str, words: str, language: str) -> str:
    model = in_force(account).speech_model or ""
    return clips.key_of(kind=account.provider, model=model, voice=name, language=language, text=words)


def _clip_of(
    account: AIProvider, name: str, words: str, language: str, client_id: int, now: datetime
) -> SpeechClip | None:
    return clips.find(client_id=client_id, key=_key(account, name, words, language), now=now)


def _kept(account: AIProvider, spoken: calls.Spoken, words: str, language: str, client_id: int) -> SpeechClip:
    return clips.keep(
        client_id=client_id,
        key=_key(account, spoken.voice, words, language),
        audio=spoken.audio,
        mime=spoken.facts.mime,
        duration_ms=spoken.facts.duration_ms,
        kind=account.provider,
        voice=f"{account.provider}:{spoken.voice}",
        model=spoken.model,
        cost_usd=Decimal(spoken.cost_usd),
        now=clock.now(),
    )


def _record(account: AIProvider, clip: SpeechClip, passed: Sequence[PassedOver], **more: Any) -> Record:
    return Record(account.provider, account.name, clip.model, clip.voice, passed_over=tuple(passed), **more)
