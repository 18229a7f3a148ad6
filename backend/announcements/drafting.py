"""Drafts of announcements by a copy provider, and previews of voices: work that a person waits for."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from threading import BoundedSemaphore

from ai_config import calls
from ai_config.adapters.catalogue import COPY
from ai_config.adapters.errors import ProviderError
from ai_config.adapters.values import INTERACTIVE, CopyAsked
from ai_config.models import AIProvider
from ai_config.reservations import NotReserved
from ai_config.selectors import active_providers
from announcements import clips, copywriting
from announcements.models import SpeechClip
from announcements.services import refuse_unspeakable
from announcements.speaking import LOCAL, Record, ask_providers, local_record, local_voice, provider_of
from announcements.speech.errors import SpeechFailed
from announcements.speech.synthesis import synthesise
from announcements.speech.text import prepare
from announcements.speech.values import Voice
from audit.services import record
from clients import credits
from clients.models import Client
from common import clock
from common.errors import Refusal

MP3 = "audio/mpeg"
AT_ONCE = 4
"""Such requests that one server process works on at the same time: each holds a thread and a connection."""
PATIENCE_S = 25.0
DRAFT_CREDITS = 1
LONGEST_PREVIEW = 300

_room = BoundedSemaphore(AT_ONCE)


@contextmanager
def _place() -> Iterator[None]:
    if not _room.acquire(blocking=False):
        raise Refusal(
            "rate_limited", "Others are being served. Try again in a moment.", headers={"Retry-After": "5"}
        )
    try:
        yield
    finally:
        _room.release()


@dataclass(frozen=True, slots=True)
class Draft:
    """Copy that was written. `shortened`: it did not fit, not even at the second try, and lost its last sentences."""

    text: str
    estimated_seconds: float
    language: str
    provider: str
    kind: str
    model: str
    cost_usd: Decimal
    credits: int
    shortened: bool


def write_draft(*, client: Client, purpose: str, tone: str, language: str, max_seconds: int) -> Draft:
    """Has a provider write copy of at most `max_seconds`; costs one credit, given back if none was written.

    Raises Refusal: `no_copy_provider`, `out_of_credits`, `providers_unavailable`, `rate_limited`.
    """
    accounts = active_providers(COPY)
    if not accounts:
        raise Refusal("no_copy_provider", "Sync2gear has set up no provider that writes. Write it yourself.")
    with _place():
        hold = credits.take(client_id=client.pk, credits=DRAFT_CREDITS, now=clock.now())
        if hold is None:
            raise Refusal("out_of_credits", "A draft costs one credit, and none is left.")
        draft: Draft | None = None
        try:
            for account in accounts:
                draft = _drafted(account, client.pk, purpose, tone, language, max_seconds)
                if draft is not None:
                    break
        finally:
            if draft is None:
                credits.give_back(hold)
            else:
                credits.keep(hold)
    if draft is None:
        raise Refusal(
            "providers_unavailable",
            "No provider could write just now. Your credit was given back; try again later.",
            headers={"Retry-After": "60"},
        )
    record(
        "draft",
        resource="client",
        resource_id=client.pk,
        client_id=client.pk,
        details={
            "provider": draft.provider,
            "model": draft.model,
            "cost_usd": draft.cost_usd,
            "credits": draft.credits,
        },
    )
    return draft


def _drafted(
    account: AIProvider, client_id: int, purpose: str, tone: str, language: str, max_seconds: int
) -> Draft | None:
    """One account's draft: a first try, a second one if that is too long, then a cut; None if nothing came of it."""
    system = copywriting.instructions(language=language, max_seconds=max_seconds)
    cost, model, text, cut = Decimal(0), "", "", False
    for _ in range(2):
        prompt = copywriting.data(purpose=purpose, tone=tone, too_long=text)
        asked = CopyAsked(system, prompt, 64 + max_seconds * copywriting.TOKENS_PER_SECOND)
        try:
            written = calls.write(account, asked, client_id=client_id, bounds=INTERACTIVE)
        except (ProviderError, NotReserved):
            break
        cost, model = cost + written.cost_usd, written.model
        text = copywriting.plain(written.text) or text
        if not text or copywriting.seconds_of(text) <= max_seconds:
            break
    if copywriting.seconds_of(text) > max_seconds:
        text, cut = copywriting.shortened(text, max_seconds=max_seconds), True
    if not text:
        return None
    seconds = round(copywriting.seconds_of(text), 1)
    return Draft(
        text, seconds, language, account.name, account.provider, model, cost, DRAFT_CREDITS, shortened=cut
    )


def preview_speech(
    *, client: Client, text: str, voice: str, language: str, now: datetime
) -> tuple[SpeechClip, Record]:
    """A clip of a short text by this voice, as `speaking` has it spoken; no announcement is made.

    Raises Refusal: those of `refuse_unspeakable`, `out_of_credits` when the voice asked for is a provider's,
    `speech_failed`, `rate_limited`.
    """
    refuse_unspeakable(text=text, voice=voice, language=language, now=now)
    with _place():
        tried = ask_providers(
            text=text,
            voice=voice,
            language=language,
            client_id=client.pk,
            bounds=INTERACTIVE,
            patience_s=PATIENCE_S,
            now=now,
        )
        if tried.clip is not None and tried.record is not None:
            clip, told = tried.clip, tried.record
        elif provider_of(voice) and any(passed.code == "out_of_credits" for passed in tried.passed_over):
            raise Refusal("out_of_credits", "This voice costs credits, and none are left.", field="voice")
        else:
            speaker, more = local_voice(text=text, voice=voice, language=language)
            told = local_record(speaker, (*tried.passed_over, *more))
            key = clips.key_of(kind=LOCAL, model="", voice=speaker.id, language="", text=prepare(text))
            found = clips.find(client_id=client.pk, key=key, now=now)
            clip = found or _spoken_here(client.pk, key, text, speaker, now)
    record(
        "preview",
        resource="client",
        resource_id=client.pk,
        client_id=client.pk,
        details=told.as_json(),
    )
    return clip, told


def _spoken_here(client_id: int, key: str, text: str, speaker: Voice, now: datetime) -> SpeechClip:
    with tempfile.TemporaryDirectory(prefix="preview-") as folder:
        target = Path(folder) / "speech.mp3"
        try:
            speech = synthesise(text, speaker, target, max_chars=LONGEST_PREVIEW)
        except SpeechFailed as failed:
            raise Refusal("speech_failed", failed.detail, field="voice") from failed
        return clips.keep(
            client_id=client_id,
            key=key,
            audio=target.read_bytes(),
            mime=MP3,
            duration_ms=speech.duration_ms,
            kind=LOCAL,
            voice=speech.voice_id,
            model=speech.engine,
            cost_usd=Decimal(0),
            now=now,
        )
