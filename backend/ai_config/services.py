"""Changes of AI providers, and trying one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction

from ai_config import calls
from ai_config.adapters.catalogue import SPEECH
from ai_config.adapters.errors import ProviderError
from ai_config.adapters.values import INTERACTIVE, CopyAsked
from ai_config.models import AIProvider
from ai_config.reservations import NotReserved
from audit.services import changes_named, record
from common.rows import lock_row
from common.validators import field_error

TRIAL_TEXT = "One, two, three."
TRIAL_COPY = CopyAsked("Answer with one word.", "Say ready.", max_output_tokens=64)
ANEW = {"failures_in_a_row": 0, "rests_in_a_row": 0, "open_until": None}
"""A closed breaker."""
DECIDES = ("api_key", "base_url", "is_active", "speech_model", "copy_model", "default_voice")
"""A change of one of these may be the mend: the provider is asked again at once."""


@transaction.atomic
def create_provider(*, fields: Mapping[str, Any]) -> AIProvider:
    """A new account. Raises `ValidationError`."""
    provider = AIProvider(**fields)
    provider.full_clean()
    provider.save()
    return provider


@transaction.atomic
def update_provider(*, provider: AIProvider, changes: Mapping[str, Any]) -> AIProvider:
    """Changes what staff set; only these columns are written. Raises `ValidationError`: `provider` is fixed."""
    locked = lock_row(AIProvider.objects.all(), provider.pk)
    if changes.get("provider", locked.provider) != locked.provider:
        raise field_error("provider", "provider_fixed", "An account stays at its provider; make a new one.")
    mended = any(name in changes and changes[name] != getattr(locked, name) for name in DECIDES)
    for name, value in changes.items():
        setattr(locked, name, value)
    locked.full_clean()
    if changes:
        locked.save(update_fields=list(changes))
    if mended:
        AIProvider.objects.filter(pk=locked.pk).update(**ANEW)
    return locked


def toggle_provider(*, provider: AIProvider) -> AIProvider:
    """Switches it off, or on again."""
    with transaction.atomic(), changes_named("toggle"):
        locked = lock_row(AIProvider.objects.all(), provider.pk)
        return update_provider(provider=locked, changes={"is_active": not locked.is_active})


@dataclass(frozen=True, slots=True)
class Trial:
    """What a tiny call came to. `code` is empty when it worked."""

    ok: bool
    kind: str
    code: str
    detail: str
    model: str
    latency_ms: int
    cost_usd: Decimal


def try_provider(*, provider: AIProvider, kind: str) -> Trial:
    """Makes one tiny real call, even to an account that is switched off or resting; its limits hold, its cost counts.

    A failure is an answer here, not an error.
    """
    began = time.monotonic()
    code, detail, model, cost = "", "It works.", "", Decimal(0)
    try:
        if kind == SPEECH:
            done: calls.Spoken | calls.Written = calls.speak(
                provider,
                text=TRIAL_TEXT,
                voice="",
                language="",
                client_id=None,
                bounds=INTERACTIVE,
                testing=True,
            )
        else:
            done = calls.write(provider, TRIAL_COPY, client_id=None, bounds=INTERACTIVE, testing=True)
        model, cost = done.model, done.cost_usd
    except ProviderError as error:
        code, detail = error.code, error.detail
    except NotReserved as refused:
        code, detail = refused.code, "Its limit is reached: no call was made."
    latency_ms = round((time.monotonic() - began) * 1000)
    record(
        "test",
        resource="ai_provider",
        resource_id=provider.pk,
        client_id=None,
        details={"kind": kind, "code": code, "latency_ms": latency_ms, "cost_usd": cost},
    )
    return Trial(not code, kind, code, detail, model, latency_ms, cost)
