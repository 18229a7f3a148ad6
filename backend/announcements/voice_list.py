"""The voices that an announcement may name: those of the active providers and those of this server.

A provider's list is kept in the cache: for an hour as it is, for a day when the provider cannot be asked. One that
fails is left out and asked again after a minute; it keeps nobody from the others.
"""

from __future__ import annotations

import logging
import re
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache

from ai_config import calls
from ai_config.adapters.catalogue import SPEECH
from ai_config.adapters.errors import ProviderError
from ai_config.adapters.values import LISTING, MANY_LANGUAGES, OfferedVoice
from ai_config.models import AIProvider
from ai_config.selectors import active_providers, speaking_part
from announcements import selectors
from announcements.speaking import provider_of
from announcements.speech.values import Voice
from common.crypto import fingerprint

FRESH = timedelta(hours=1)
KEPT = timedelta(hours=24)
ASKED_AGAIN = timedelta(minutes=1)

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,80}")

logger = logging.getLogger(__name__)


def voices_on_offer(*, language: str = "", engine: str = "", now: datetime) -> list[Voice]:
    """All voices, the best first. `en` finds every English voice, `en-GB` only British ones; both those of many
    languages. `engine` may be a provider's name."""
    offered = {
        voice.id: voice
        for account in active_providers(SPEECH)
        if not engine or account.provider == engine
        for voice in _voices_of(account, now)
        if not language or voice.language == MANY_LANGUAGES or selectors.speaks(voice.language, language)
    }
    local = selectors.voices_at_hand(language=language, engine=engine)
    return sorted([*offered.values(), *local], key=lambda voice: -voice.quality)


def may_be_asked_for(voice: str, *, now: datetime) -> bool:
    """Whether a provider may have this voice: an account is active, and no list at hand says otherwise.

    Nobody is asked over the network.
    """
    accounts = [account for account in active_providers(SPEECH) if account.provider == provider_of(voice)]
    if not accounts or not _NAME.fullmatch(voice.partition(":")[2]):
        return False
    lists = [_kept(account) for account in accounts]
    return any(known is None or voice in {each.id for each in known[1]} for known in lists)


def _voices_of(account: AIProvider, now: datetime) -> list[Voice]:
    known = _kept(account)
    if known is not None and now - known[0] < FRESH:
        return known[1]
    old = known[1] if known is not None else []
    if not cache.add(f"{_place(account)}:asked", 1, timeout=ASKED_AGAIN.total_seconds()):
        return old
    try:
        listed = calls.offered_voices(account, LISTING)
    except ProviderError as error:
        logger.warning("AI provider %s gave no list of voices (%s)", account.pk, error)
        return old
    found = [_voice(account, voice) for voice in listed if _NAME.fullmatch(voice.name)]
    cache.set(_place(account), (now, [asdict(voice) for voice in found]), timeout=KEPT.total_seconds())
    return found


def _kept(account: AIProvider) -> tuple[datetime, list[Voice]] | None:
    known: tuple[datetime, list[dict[str, Any]]] | None = cache.get(_place(account))
    return None if known is None else (known[0], [Voice(**voice) for voice in known[1]])


def _place(account: AIProvider) -> str:
    """Another key or address is another list."""
    return f"voices:{account.pk}:{fingerprint(f'{account.key_hint} {account.base_url}')[:16]}"


def _voice(account: AIProvider, offered: OfferedVoice) -> Voice:
    return Voice(
        f"{account.provider}:{offered.name}",
        account.provider,
        offered.name,
        offered.language,
        f"{offered.label} ({account.get_provider_display()})",
        speaking_part(account).quality,
        offered.gender,
    )
