"""Who speaks an announcement: providers in their order, the cache before them, a voice of this server after them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from ai_config.models import AIProvider
from ai_config.tests.fake_providers import Fault
from ai_config.tests.support import fake, provider
from announcements import clips, drafting, preparing, speaking
from announcements.models import Announcement, SpeechClip
from announcements.speaking import credits_for
from announcements.tests.test_speech import GENERATE, URL, stub
from clients import credits
from clients.models import Client
from common import clock
from common.tests.sounds import kept
from users.tests.support import at_once, trail

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everything")]
__all__ = ["fake", "provider"]

TEXT = "Tea is served on the second floor."
PREVIEW, VOICES = f"{URL}tts/preview/", f"{URL}tts/voices/"


@pytest.fixture
def local(monkeypatch):
    """A voice of this server that needs no time."""
    stub(monkeypatch)
    monkeypatch.setattr(drafting, "synthesise", preparing.synthesise)


@pytest.fixture
def spoken_now(call, commit, queue, local):
    """`spoken_now(shop)` asks for speech, lets the job do its work, and answers the announcement."""

    def make(business, **fields):
        api = call(business.admin)
        with commit():
            answer = api.post(GENERATE, {"title": "Tea", "text": TEXT} | fields)
        assert answer.status_code == 202, answer.data
        with commit():
            queue.run()
        data = api.get(f"{URL}{answer.data['id']}/").data
        assert (data["status"], data["playable"]) == ("ready", True)
        return data

    return make


def credits_of(business):
    """What is left."""
    return Client.objects.get(pk=business.client.pk).ai_credits


def passed(data):
    """Who was passed over, and why."""
    return [(each["provider"], each["code"]) for each in data["speech"]["passed_over"]]


@pytest.mark.parametrize(
    ("kind", "voice", "model", "cost"),
    [
        ("elevenlabs", "elevenlabs:JBFqnCBsd6RMkjVDRZzb", "eleven_multilingual_v2", "0.010200"),
        ("openai", "openai:nova", "tts-1", "0.000510"),
        ("google", "google:en-GB-Neural2-A", "", "0.000544"),
    ],
)
def test_a_provider_speaks(shop, provider, spoken_now, kind, voice, model, cost):
    provider(kind)
    data = spoken_now(shop)
    assert data["spoken_by"] == voice
    assert data["speech"] == {
        "kind": kind,
        "provider": f"Our {kind}",
        "model": model,
        "voice": voice,
        "cost_usd": cost,
        "credits": 1,
        "cached": False,
        "fallback": False,
        "passed_over": [],
    }
    assert data["loudness_lufs"] == pytest.approx(-16, abs=1)
    assert credits_of(shop) == 99
    assert [entry.details for entry in trail("speak")] == [data["speech"]]


def test_without_providers_this_server_speaks_for_nothing(shop, spoken_now):
    data = spoken_now(shop)
    assert (data["speech"]["kind"], data["speech"]["cost_usd"], data["speech"]["fallback"]) == (
        "local",
        "0.000000",
        False,
    )
    assert credits_of(shop) == 100


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(500), "unavailable"),
        (Fault(401), "unauthorized"),
        (Fault(429), "rate_limited"),
        (Fault(spoil="noise"), "broken_audio"),
        (Fault(spoil="cut off"), "broken_answer"),
    ],
)
def test_who_fails_is_passed_over_and_told(shop, provider, fake, spoken_now, fault, code):
    provider("openai", order=1)
    provider("google", order=2)
    fake.faults["openai"] = fault
    data = spoken_now(shop)
    assert (data["speech"]["kind"], data["speech"]["fallback"]) == ("google", True)
    assert passed(data) == [("Our openai", code)]
    assert credits_of(shop) == 99


def test_when_all_fail_this_server_speaks_and_the_credit_comes_back(shop, provider, fake, spoken_now):
    provider("elevenlabs", order=1)
    provider("openai", order=2, daily_request_limit=0)
    fake.faults[""] = Fault(503)
    data = spoken_now(shop)
    assert (data["speech"]["kind"], data["speech"]["fallback"], data["speech"]["credits"]) == (
        "local",
        True,
        0,
    )
    assert passed(data) == [("Our elevenlabs", "unavailable"), ("Our openai", "daily_limit")]
    assert credits_of(shop) == 100


def test_a_resting_provider_is_not_asked(shop, provider, fake, spoken_now):
    provider("openai", open_until=clock.now() + timedelta(hours=1))
    assert passed(spoken_now(shop)) == [("Our openai", "resting")]
    assert fake.calls == []


def test_the_voice_asked_for_goes_before_the_order(shop, provider, fake, spoken_now):
    provider("openai", order=1)
    provider("elevenlabs", order=2)
    data = spoken_now(shop, voice="elevenlabs:second")
    assert (data["spoken_by"], data["speech"]["fallback"]) == ("elevenlabs:second", False)
    assert [each.provider for each in fake.asked()] == ["elevenlabs"]


def test_a_voice_that_is_gone_falls_back_visibly(shop, provider, fake, spoken_now):
    provider("elevenlabs")
    fake.gone_voices.add("second")
    data = spoken_now(shop, voice="elevenlabs:second")
    assert (data["voice"], data["spoken_by"]) == ("elevenlabs:second", "elevenlabs:JBFqnCBsd6RMkjVDRZzb")
    assert (passed(data), data["speech"]["fallback"]) == ([("Our elevenlabs", "voice_unknown")], True)


def test_a_provider_that_went_between_asking_and_speaking(shop, call, provider, fake, commit, queue, local):
    account = provider("openai")
    with commit():
        pk = call(shop.admin).post(GENERATE, {"title": "T", "text": TEXT, "voice": "openai:echo"}).data["id"]
    account.delete()
    with commit():
        queue.run()
    data = call(shop.admin).get(f"{URL}{pk}/").data
    assert (data["status"], data["speech"]["kind"], passed(data)) == (
        "ready",
        "local",
        [("openai", "inactive")],
    )


def test_a_voice_of_this_server_that_is_gone(shop, spoken, commit, local):
    row = spoken(shop, status="generating", voice="piper:gone", text="Hello there.")
    with commit():
        preparing.speak(announcement_id=row.pk)
    row.refresh_from_db()
    assert (row.status, row.speech["fallback"]) == ("ready", True)
    assert row.speech["passed_over"] == [{"provider": "local", "code": "voice_unknown"}]


def test_a_voice_of_this_server_asks_nobody(shop, provider, fake, spoken_now):
    provider("openai")
    data = spoken_now(shop, voice="espeak:en-gb")
    assert (data["speech"]["kind"], data["speech"]["fallback"]) == ("local", False)
    assert fake.calls == []


def test_the_same_words_are_not_paid_for_twice(shop, other_shop, provider, fake, spoken_now):
    account = provider("openai")
    spoken_now(shop)
    for more in ({}, {"chime": "ding"}, {"text": f"  <b>{TEXT}</b> "}):
        data = spoken_now(shop, **more)
        assert (data["speech"]["cached"], data["speech"]["credits"], data["speech"]["cost_usd"]) == (
            True,
            0,
            "0.000000",
        )
    assert (len(fake.asked()), credits_of(shop)) == (1, 99)
    AIProvider.objects.update(open_until=clock.now() + timedelta(hours=1))
    assert spoken_now(shop)["speech"]["cached"] is True
    AIProvider.objects.update(open_until=None)
    assert spoken_now(other_shop)["speech"]["cached"] is False, "what one business says is not another's"
    AIProvider.objects.update(speech_model="another")
    assert spoken_now(shop)["speech"]["cached"] is False
    assert spoken_now(shop, voice="openai:echo")["speech"]["cached"] is False
    account.refresh_from_db()
    assert (account.total_requests, len(fake.asked())) == (4, 4)


def test_a_clip_whose_file_is_lost_is_made_again(shop, provider, fake, spoken_now):
    provider("openai")
    spoken_now(shop)
    clip = SpeechClip.objects.get()
    clip.file.storage.delete(clip.file.name)
    assert spoken_now(shop)["speech"]["cached"] is False


@pytest.mark.parametrize(("characters", "price"), [(1, 1), (999, 1), (1000, 1), (1001, 2), (5000, 5)])
def test_the_price_in_credits(characters, price):
    assert credits_for("x" * characters) == price


def test_a_long_text_costs_more(shop, provider, spoken_now):
    provider("elevenlabs")
    assert spoken_now(shop, text="Tea. " * 300)["speech"]["credits"] == 2
    assert credits_of(shop) == 98


def test_without_credits_this_server_speaks(shop, provider, fake, spoken_now):
    provider("openai")
    Client.objects.update(ai_credits=0)
    assert passed(spoken_now(shop)) == [("Our openai", "out_of_credits")]
    assert fake.calls == []
    assert credits_of(shop) == 0


@pytest.mark.parametrize("url", [GENERATE, PREVIEW])
def test_without_credits_a_provider_s_voice_is_refused(shop, call, provider, url):
    provider("openai")
    Client.objects.update(ai_credits=0)
    answer = call(shop.admin).post(url, {"title": "T", "text": TEXT, "voice": "openai:echo"})
    assert (answer.status_code, answer.data["code"]) == (402, "out_of_credits"), answer.data
    assert answer.data["errors"][0]["field"] == "voice"


@pytest.mark.parametrize("voice", ["openai:echo", "elevenlabs:", "elevenlabs:../x", "anthropic:claude"])
def test_a_voice_that_nobody_offers_is_refused(shop, call, provider, voice):
    provider("elevenlabs")
    answer = call(shop.admin).post(GENERATE, {"title": "T", "text": TEXT, "voice": voice})
    assert (answer.status_code, answer.data["code"]) == (400, "voice_unknown")


def test_a_voice_that_is_on_no_list_is_refused_once_there_is_one(shop, call, provider):
    provider("elevenlabs")
    api = call(shop.admin)
    ask = {"title": "T", "text": TEXT, "voice": "elevenlabs:typo"}
    assert api.post(GENERATE, ask).status_code == 202
    api.get(VOICES)
    assert api.post(GENERATE, ask).status_code == 400
    assert api.post(GENERATE, ask | {"voice": "elevenlabs:second"}).status_code == 202


@pytest.mark.django_db(transaction=True)
def test_credits_are_never_spent_twice(shop):
    Client.objects.update(ai_credits=5)
    results = at_once(
        *[lambda: credits.take(client_id=shop.client.pk, credits=2, now=clock.now()) is not None] * 8
    )
    assert sorted(results) == [False] * 6 + [True] * 2
    assert credits_of(shop) == 1


# --- voices ----------------------------------------------------------------------------------------------


def test_voices_of_all(shop, call, provider, fake):
    for kind in ("elevenlabs", "openai", "google"):
        provider(kind)
    provider("anthropic")
    api = call(shop.floor_user)
    rows = api.get(f"{VOICES}?page_size=200").data["results"]
    by_id = {row["id"]: row for row in rows}
    assert by_id["elevenlabs:second"] | {"quality": 0} == {
        "id": "elevenlabs:second",
        "name": "Voice 1 (ElevenLabs)",
        "language": "mul",
        "engine": "elevenlabs",
        "gender": "female",
        "quality": 0,
        "free": False,
    }
    assert {"openai:alloy", "google:de-DE-Neural2-F"} <= by_id.keys()
    assert any(row["free"] for row in rows)
    asked = len(fake.calls)
    german = {row["id"] for row in api.get(f"{VOICES}?language=de&page_size=200").data["results"]}
    assert {"google:de-DE-Neural2-F", "openai:alloy"} <= german
    assert "google:en-GB-Neural2-A" not in german
    assert len(fake.calls) == asked, "the lists are kept"
    only = api.get(f"{VOICES}?engine=google").data["results"]
    assert {row["engine"] for row in only} == {"google"}


def test_a_provider_that_fails_keeps_nobody_from_the_others(shop, call, provider, fake):
    provider("elevenlabs")
    provider("google")
    fake.faults["elevenlabs"] = Fault(500)
    api = call(shop.admin)
    for _ in range(3):
        engines = {row["engine"] for row in api.get(f"{VOICES}?page_size=200").data["results"]}
        assert "google" in engines
        assert "espeak" in engines
        assert "elevenlabs" not in engines
    assert len([each for each in fake.calls if each.provider == "elevenlabs"]) == 1


def test_an_old_list_serves_while_its_provider_fails(shop, call, provider, fake, monkeypatch):
    provider("elevenlabs")
    api = call(shop.admin)
    api.get(VOICES)
    fake.faults["elevenlabs"] = Fault(500)
    later = clock.now() + timedelta(hours=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    ids = {row["id"] for row in call(shop.admin).get(f"{VOICES}?page_size=200").data["results"]}
    assert "elevenlabs:second" in ids
    assert len([each for each in fake.calls if each.provider == "elevenlabs"]) >= 2


# --- previews --------------------------------------------------------------------------------------------


def test_a_preview(shop, call, provider, fake):
    provider("openai")
    api = call(shop.admin)
    answer = api.post(PREVIEW, {"text": TEXT, "voice": "openai:echo"})
    assert answer.status_code == 200, answer.data
    assert (answer.data["speech"]["voice"], answer.data["speech"]["credits"]) == ("openai:echo", 1)
    assert answer.data["duration_ms"] == pytest.approx(500, abs=30)
    sound = call(None).get(answer.data["audio_url"])
    assert (sound.status_code, b"".join(sound.streaming_content)) == (200, fake.audio)
    again = api.post(PREVIEW, {"text": TEXT, "voice": "openai:echo"}).data
    assert (again["speech"]["cached"], again["speech"]["credits"]) == (True, 0)
    assert (len(fake.asked()), credits_of(shop)) == (1, 99)
    assert not Announcement.objects.exists()
    assert [entry.client_id for entry in trail("preview")] == [shop.client.pk] * 2


def test_a_preview_by_this_server(shop, call, local, settings):
    api = call(shop.admin)
    for _ in range(2):
        answer = api.post(PREVIEW, {"text": TEXT})
        assert (answer.status_code, answer.data["speech"]["kind"]) == (200, "local"), answer.data
        assert b"".join(call(None).get(answer.data["audio_url"]).streaming_content)
    assert (len(kept(settings)), credits_of(shop)) == (1, 100)


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"text": ""}, "text_empty", "text"),
        ({"text": "x" * 301}, "validation_failed", "text"),
        ({"text": "🎉"}, "text_unspeakable", "text"),
        ({"voice": "nobody"}, "voice_unknown", "voice"),
        ({"language": "tlh-piqd"}, "no_voice_for_language", "language"),
    ],
)
def test_previews_refused(shop, call, fields, code, field):
    answer = call(shop.admin).post(PREVIEW, {"text": TEXT} | fields)
    assert (answer.status_code, answer.data["code"]) == (400, code), answer.data
    assert answer.data["errors"][0]["field"] == field


def test_previews_are_few(shop, call, monkeypatch):
    monkeypatch.setattr(drafting, "_room", drafting.BoundedSemaphore(1))
    with drafting._place():
        answer = call(shop.admin).post(PREVIEW, {"text": TEXT})
    assert (answer.status_code, answer.data["code"], answer["Retry-After"]) == (429, "rate_limited", "5")
    statuses = [
        call(shop.admin).post(PREVIEW, {"text": TEXT, "voice": "nobody"}).status_code for _ in range(30)
    ]
    assert statuses == [400] * 29 + [429]


# --- the cache -------------------------------------------------------------------------------------------


def keep(business, number, size=10, now=None):
    """A clip."""
    return clips.keep(
        client_id=business.client.pk,
        key=f"{number:064}",
        audio=bytes([number]) * size,
        mime="audio/mpeg",
        duration_ms=1,
        kind="openai",
        voice="openai:nova",
        model="",
        cost_usd=Decimal(0),
        now=now or clock.now(),
    )


def test_clips_go_when_there_are_too_many_or_too_much(shop, other_shop, monkeypatch, commit, settings):
    monkeypatch.setattr(clips, "MOST_CLIPS", 3)
    monkeypatch.setattr(clips, "MOST_BYTES", 100)
    start = clock.now()
    with commit():
        keep(other_shop, 9, now=start)
        for number in range(5):
            keep(shop, number, now=start + timedelta(seconds=number))
            clips.find(client_id=shop.client.pk, key=f"{0:064}", now=start + timedelta(seconds=number))
    left = SpeechClip.objects.filter(client=shop.client).values_list("key", flat=True)
    assert sorted(int(key) for key in left) == [0, 3, 4], "the last used stay"
    with commit():
        keep(shop, 7, size=95, now=start + timedelta(seconds=9))
    assert [int(key) for key in left.all()] == [7]
    assert len(kept(settings)) == 2


def test_the_same_clip_twice_is_one(shop, settings):
    assert keep(shop, 1) == keep(shop, 1)
    assert len(kept(settings)) == 1


def test_clips_that_nobody_uses_go(shop, commit, settings):
    now = clock.now()
    keep(shop, 1, now=now - clips.UNUSED_FOR - timedelta(seconds=1))
    keep(shop, 2, now=now)
    with commit():
        assert clips.forget_unused(now=now) == 1
    assert len(kept(settings)) == 1


def test_a_bug_gives_the_credit_back(shop, provider, fake, monkeypatch):
    provider("openai")

    def bug(*args, **kwargs):
        raise RuntimeError("a bug")

    monkeypatch.setattr(speaking.calls, "speak", bug)
    with pytest.raises(RuntimeError):
        speaking.ask_providers(
            text=TEXT,
            voice="",
            language="",
            client_id=shop.client.pk,
            bounds=speaking.Bounds(),
            patience_s=9,
            now=clock.now(),
        )
    assert credits_of(shop) == 100
