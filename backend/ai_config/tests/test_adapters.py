"""Every adapter against a server that speaks the documented contract, and against everything that goes wrong there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ai_config.adapters import http
from ai_config.adapters.catalogue import CATALOGUE
from ai_config.adapters.errors import ProviderError
from ai_config.adapters.values import Account, Bounds, CopyAsked, SpeechAsked
from ai_config.tests.fake_providers import COPY_TEXT, KEY, Fault, nobody_s_address

QUICK = Bounds(connect_s=2, read_s=0.6, total_s=1.0)
SPEAKING = [name for name, entry in CATALOGUE.items() if entry.speaks]
WRITING = [name for name, entry in CATALOGUE.items() if entry.writes]
CALLS = [(name, "speech") for name in SPEAKING] + [(name, "copy") for name in WRITING]
VOICE_OF = {name: CATALOGUE[name].speaks.voice for name in SPEAKING}


def account(fake, name, **fields):
    """An account at the fake."""
    entry = CATALOGUE[name]
    models = {
        "speech_model": entry.speaks.model if entry.speaks else "",
        "copy_model": entry.writes.model if entry.writes else "",
    }
    return Account(**{"api_key": KEY, "base_url": fake.url} | models | fields)


def make(fake, name, kind, bounds=QUICK, **fields):
    """One call."""
    if kind == "speech":
        asked = SpeechAsked("Tea is served.", VOICE_OF[name])
        return CATALOGUE[name].speaks.speak(account(fake, name, **fields), asked, bounds)
    asked = CopyAsked("You write.", '{"purpose": "bread"}', 200)
    return CATALOGUE[name].writes.write(account(fake, name, **fields), asked, bounds)


@pytest.mark.parametrize(("name", "kind"), CALLS)
def test_as_documented(fake, name, kind):
    done = make(fake, name, kind, Bounds())
    if kind == "speech":
        assert done.audio == fake.audio
        assert done.characters == (len("Tea is served.") if name == "elevenlabs" else None)
    else:
        assert (done.text, done.input_tokens, done.output_tokens) == (COPY_TEXT, 100, 20)


@pytest.mark.parametrize(("name", "kind"), CALLS)
def test_the_key_is_in_no_address_and_no_text_of_ours(fake, name, kind):
    make(fake, name, kind, Bounds())
    call = fake.calls[0]
    assert KEY not in f"{call.path}{call.query}{call.body}"
    assert KEY not in repr(account(fake, name))
    with pytest.raises(ProviderError) as raised:
        make(fake, name, kind, Bounds(), api_key="sk-wrong-key-1234")
    assert "sk-" not in f"{raised.value}{raised.value.args}"


FAULTS = {
    "wrong key": (None, "unauthorized", False),
    "400": (Fault(400, {"error": {"code": "bad"}}), "refused", False),
    "402": (Fault(402, {"type": "error", "error": {"type": "billing_error"}}), "exhausted", False),
    "403": (Fault(403, "no"), "unauthorized", False),
    "quota gone with 401": (Fault(401, {"detail": {"status": "quota_exceeded"}}), "exhausted", False),
    "quota gone with 429": (Fault(429, {"error": {"code": "insufficient_quota"}}), "exhausted", False),
    "quota gone with 400": (
        Fault(400, {"error": {"message": "Your credit balance is too low to access the API"}}),
        "exhausted",
        False,
    ),
    "429": (Fault(429, {}, {"Retry-After": "17"}), "rate_limited", False),
    "500": (Fault(500, "<html>"), "unavailable", False),
    "503": (Fault(503, {}, {"Retry-After": "17"}), "unavailable", False),
    "529": (Fault(529, {"error": {"type": "overloaded_error"}}), "unavailable", False),
    "an error without an end": (Fault(500, "x" * 500_000), "unavailable", False),
    "a redirect": (Fault(spoil="redirect"), "unavailable", False),
    "slow": (Fault(delay_s=1.5), "timed_out", True),
    "drip": (Fault(spoil="drip"), "timed_out", True),
    "cut off": (Fault(spoil="cut off"), "broken_answer", True),
    "not audio": (Fault(spoil="not audio"), "broken_answer", True),
    "empty": (Fault(spoil="empty"), "broken_answer", True),
    "other shape": (Fault(spoil="other shape"), "broken_answer", True),
    "huge": (Fault(spoil="huge"), "too_large", True),
}


@pytest.mark.parametrize(("name", "kind"), CALLS)
@pytest.mark.parametrize("what", FAULTS)
def test_what_goes_wrong(fake, name, kind, what):
    fault, code, charged = FAULTS[what]
    fake.faults[""] = fault or Fault()
    bounds = Bounds() if what == "huge" else QUICK
    with pytest.raises(ProviderError) as raised:
        make(fake, name, kind, bounds, **({} if fault else {"api_key": "wrong"}))
    assert (raised.value.code, raised.value.charged) == (code, charged)
    assert raised.value.retry_after_s == (17 if fault and fault.headers else None)
    assert len(fake.calls) == 1, "it was asked once, and no redirect was followed"


@pytest.mark.parametrize(("name", "kind"), CALLS)
def test_nobody_there(fake, name, kind):
    with pytest.raises(ProviderError) as raised:
        make(fake, name, kind, base_url=nobody_s_address())
    assert (raised.value.code, raised.value.charged) == ("unreachable", False)


@pytest.mark.parametrize("name", SPEAKING)
def test_a_voice_that_is_gone_is_told_apart(fake, name):
    fake.gone_voices.add(VOICE_OF[name])
    with pytest.raises(ProviderError) as raised:
        make(fake, name, "speech")
    assert (raised.value.code, raised.value.charged) == ("voice_unknown", False)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("elevenlabs", ("JBFqnCBsd6RMkjVDRZzb", "Voice 0", "mul", "female")),
        ("openai", ("alloy", "Alloy", "mul", "")),
        ("google", ("en-GB-Neural2-A", "en-GB-Neural2-A", "en-GB", "female")),
    ],
)
def test_voices(fake, name, first):
    found = CATALOGUE[name].speaks.voices(account(fake, name), QUICK)
    assert (found[0].name, found[0].label, found[0].language, found[0].gender) == first
    assert len(found) > 1


@pytest.mark.parametrize("name", ["elevenlabs", "google"])
@pytest.mark.parametrize("spoil", ["other shape", "not audio", "cut off"])
def test_voices_that_cannot_be_read(fake, name, spoil):
    fake.faults[""] = Fault(spoil=spoil)
    with pytest.raises(ProviderError, match="broken_answer"):
        CATALOGUE[name].speaks.voices(account(fake, name), QUICK)


@pytest.mark.parametrize(
    ("language", "voice"),
    [
        ("", {"languageCode": "en-GB", "name": "en-GB-Neural2-A"}),
        ("en-US", {"languageCode": "en-GB", "name": "en-GB-Neural2-A"}),
        ("de", {"languageCode": "de"}),
    ],
)
def test_google_chooses_a_voice_for_another_language(fake, language, voice):
    asked = replace(SpeechAsked("Guten Tag.", VOICE_OF["google"]), language=language)
    CATALOGUE["google"].speaks.speak(account(fake, "google"), asked, QUICK)
    assert fake.calls[0].body["voice"] == voice


NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0),
        ("120", 120),
        ("Sun, 01 Mar 2026 12:01:30 GMT", 90),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("9" * 5000, None),
    ],
)
def test_retry_after(value, seconds):
    assert http.retry_after(value, now=NOW) == seconds
    assert NOW + timedelta(seconds=seconds or 0) >= NOW
