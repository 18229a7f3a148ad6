"""A call from reservation to settlement: what counts, what is given back, what is remembered."""

from __future__ import annotations

from decimal import Decimal

import pytest
from cryptography.fernet import Fernet

from ai_config import calls
from ai_config.adapters.errors import ProviderError
from ai_config.adapters.values import Bounds, CopyAsked
from ai_config.models import AIProvider, AIReservation, AIUsage
from ai_config.reservations import NotReserved
from ai_config.tests.fake_providers import Fault
from common.tests.sounds import passing, sound

pytestmark = pytest.mark.django_db
__all__ = ["passing"]

QUICK = Bounds(connect_s=2, read_s=0.5, total_s=1.0)
TEXT = "Tea is served."


def speak(account, text=TEXT, **more):
    """Speaks, for nobody in particular."""
    return calls.speak(
        account, **{"text": text, "voice": "", "language": "", "client_id": None, "bounds": QUICK} | more
    )


def fails(account, text=TEXT):
    """The code with which it fails."""
    with pytest.raises(ProviderError) as raised:
        speak(account, text)
    account.refresh_from_db()
    return raised.value.code


@pytest.mark.parametrize(
    ("kind", "model", "voice", "cost"),
    [
        ("elevenlabs", "eleven_multilingual_v2", "JBFqnCBsd6RMkjVDRZzb", "0.0042"),
        ("openai", "tts-1", "nova", "0.00021"),
        ("google", "", "en-GB-Neural2-A", "0.000224"),
    ],
)
def test_speech(provider, fake, shop, kind, model, voice, cost):
    account = provider(kind)
    spoken = speak(account, client_id=shop.client.pk)
    assert spoken.audio == fake.audio
    assert spoken.facts.duration_ms == pytest.approx(500, abs=30)
    assert (spoken.model, spoken.voice, spoken.cost_usd) == (model, voice, Decimal(cost))
    account.refresh_from_db()
    assert (account.requests_today, account.total_requests) == (1, 1)
    assert account.spent_microusd == int(Decimal(cost) * 1_000_000)
    usage = AIUsage.objects.get()
    assert (usage.characters, usage.client_id) == (len(TEXT), shop.client.pk)
    assert not AIReservation.objects.exists()


@pytest.mark.parametrize(
    ("kind", "model", "cost"),
    [
        ("openai", "gpt-4o-mini", "0.000027"),
        ("google", "gemini-2.5-flash-lite", "0.000018"),
        ("anthropic", "claude-haiku-4-5", "0.0002"),
    ],
)
def test_copy(provider, fake, kind, model, cost):
    account = provider(kind)
    written = calls.write(account, CopyAsked("System", "Prompt", 200), client_id=None, bounds=QUICK)
    assert (written.model, written.cost_usd) == (model, Decimal(cost))
    account.refresh_from_db()
    assert (account.total_tokens, account.spent_microusd) == (120, int(Decimal(cost) * 1_000_000))


def test_its_own_settings_go_before_the_usual_ones(provider, fake):
    account = provider(
        "openai", speech_model="other", default_voice="echo", price_per_1000_characters_usd=Decimal(0)
    )
    spoken = speak(account)
    assert (spoken.model, spoken.voice, spoken.cost_usd) == ("other", "echo", 0)
    assert fake.asked()[0].body["model"] == "other"


@pytest.mark.parametrize("kind", ["elevenlabs", "openai", "google"])
@pytest.mark.parametrize("spoil", ["noise", "half a file"])
def test_audio_that_is_none_is_a_failure_and_is_charged(provider, fake, passing, kind, spoil):
    account = provider(kind)
    if spoil == "half a file":
        fake.audio = sound(seconds=3.0)
    fake.faults[""] = Fault(spoil=spoil)
    assert fails(account) == "broken_audio"
    assert (account.total_requests, account.requests_today, account.failures_in_a_row) == (1, 1, 1)
    assert account.spent_microusd > 0
    assert account.last_failure_code == "broken_audio"


@pytest.mark.parametrize(
    ("fault", "charged"),
    [
        (Fault(500), False),
        (Fault(429, {}, {"Retry-After": "5"}), False),
        (Fault(401), False),
        (Fault(spoil="cut off"), True),
        (Fault(delay_s=1.2), True),
    ],
)
def test_what_may_have_been_charged_counts(provider, fake, fault, charged):
    account = provider("openai")
    fake.faults[""] = fault
    fails(account)
    assert (account.requests_today, account.spent_microusd) == ((1, 210) if charged else (0, 0))
    assert AIUsage.objects.get().failures == (0 if charged else 1)


def test_three_failures_open_it_and_a_success_closes_it(provider, fake):
    account = provider("openai")
    fake.faults[""] = Fault(500)
    for _ in range(3):
        assert fails(account) == "unavailable"
    with pytest.raises(NotReserved, match="resting"):
        speak(account)
    assert len(fake.asked()) == 3
    fake.faults.clear()
    AIProvider.objects.update(open_until="2026-01-01T00:00:00Z")
    speak(account)
    account.refresh_from_db()
    assert (account.failures_in_a_row, account.rests_in_a_row, account.open_until) == (0, 0, None)
    assert account.last_failure_code == "unavailable", "what happened last is still told"


def test_a_text_too_long_is_no_call(provider, fake):
    account = provider("google")
    assert fails(account, "ü" * 2501) == "refused"
    assert fake.calls == []
    assert account.requests_today == 0


def test_a_key_that_cannot_be_read_is_a_failure_of_that_account(provider, fake, settings):
    provider("openai")
    settings.ENCRYPTION_KEYS = (Fernet.generate_key().decode(),)
    account = AIProvider.objects.defer("api_key").get()
    with pytest.raises(ProviderError, match="key_unreadable"):
        speak(account)
    assert AIProvider.objects.defer("api_key").get().open_until is not None


def test_a_bug_of_ours_counts_too(provider, fake, monkeypatch):
    account = provider("openai")

    def bug(audio):
        raise RuntimeError("a bug")

    monkeypatch.setattr(calls, "_examined", bug)
    with pytest.raises(RuntimeError):
        speak(account)
    assert not AIReservation.objects.exists()
    account.refresh_from_db()
    assert account.requests_today == 1
