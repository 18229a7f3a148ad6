"""ElevenLabs: speech.

https://elevenlabs.io/docs/api-reference/text-to-speech/convert: POST /v1/text-to-speech/{voice_id}, the key in
`xi-api-key`, the MP3 as the body; `character-cost` says what was charged.
https://elevenlabs.io/docs/api-reference/voices/search: GET /v2/voices, in pages by `next_page_token`.
https://help.elevenlabs.io/hc/en-us/articles/19572237925521: `detail.status` names an error; `quota_exceeded` has 401.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from ai_config.adapters.http import MOST_AUDIO_BYTES, audio_of, exchange, list_at, text_at
from ai_config.adapters.values import MANY_LANGUAGES, Account, Bounds, OfferedVoice, Speech, SpeechAsked

ORIGIN = "https://api.elevenlabs.io"
FORMAT = "mp3_44100_128"
_MOST_PAGES = 10


def speak(account: Account, asked: SpeechAsked, bounds: Bounds) -> Speech:
    """One text, spoken. Raises ProviderError."""
    answer = exchange(
        "POST",
        f"{account.origin(ORIGIN)}/v1/text-to-speech/{quote(asked.voice, safe='')}",
        params={"output_format": FORMAT},
        headers=_headers(account),
        body={"text": asked.text, "model_id": account.speech_model},
        bounds=bounds,
        most_bytes=MOST_AUDIO_BYTES,
    )
    charged = answer.headers.get("character-cost", "")
    return Speech(audio_of(answer), int(charged) if re.fullmatch("[0-9]{1,9}", charged) else None)


def voices(account: Account, bounds: Bounds) -> list[OfferedVoice]:
    """The voices of the account. Raises ProviderError."""
    found: list[OfferedVoice] = []
    params: dict[str, str | int] = {"page_size": 100}
    for _ in range(_MOST_PAGES):
        page = exchange(
            "GET",
            f"{account.origin(ORIGIN)}/v2/voices",
            params=params,
            headers=_headers(account),
            bounds=bounds,
        ).json()
        found += [_voice(voice) for voice in list_at(page, "voices")]
        if not page.get("has_more") or not page.get("next_page_token"):
            break
        params["next_page_token"] = str(page["next_page_token"])
    return found


def _voice(voice: Any) -> OfferedVoice:
    name, label = text_at(voice, "voice_id"), text_at(voice, "name")
    labels = voice.get("labels")
    gender = labels.get("gender") if isinstance(labels, dict) else ""
    # The voice's accent is no bound: its model speaks the language of the text.
    return OfferedVoice(name, label, MANY_LANGUAGES, gender if gender in ("female", "male") else "")


def _headers(account: Account) -> dict[str, str]:
    return {"xi-api-key": account.api_key}
