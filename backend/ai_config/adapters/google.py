"""Google: speech by Cloud Text-to-Speech, copy by Gemini. One API key of a project that has both APIs switched on.

https://cloud.google.com/text-to-speech/docs/reference/rest/v1/text/synthesize: POST /v1/text:synthesize, the MP3 as
Base64 in `audioContent`; at most 5,000 bytes of text.
https://cloud.google.com/text-to-speech/docs/reference/rest/v1/voices/list: GET /v1/voices.
https://ai.google.dev/api/generate-content: POST /v1beta/models/{model}:generateContent.
https://cloud.google.com/docs/authentication/api-keys-use: the key goes in `X-Goog-Api-Key`.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import quote

from ai_config.adapters.http import MOST_AUDIO_BYTES, broken, count_at, dig, exchange, list_at, text_at
from ai_config.adapters.values import Account, Bounds, Copy, CopyAsked, OfferedVoice, Speech, SpeechAsked

SPEECH_ORIGIN = "https://texttospeech.googleapis.com"
COPY_ORIGIN = "https://generativelanguage.googleapis.com"


def speak(account: Account, asked: SpeechAsked, bounds: Bounds) -> Speech:
    """One text, spoken. A voice of another language than the one asked for is left for Google to choose.

    Raises ProviderError.
    """
    own = "-".join(asked.voice.split("-")[:2])
    language = asked.language or own
    voice = {"languageCode": language}
    if own.split("-")[0].lower() == language.split("-")[0].lower():
        voice = {"languageCode": own, "name": asked.voice}
    answer = exchange(
        "POST",
        f"{account.origin(SPEECH_ORIGIN)}/v1/text:synthesize",
        headers=_headers(account),
        body={"input": {"text": asked.text}, "voice": voice, "audioConfig": {"audioEncoding": "MP3"}},
        bounds=bounds,
        most_bytes=MOST_AUDIO_BYTES * 4 // 3 + 1024,
    ).json()
    try:
        audio = base64.b64decode(text_at(answer, "audioContent"), validate=True)
    except (binascii.Error, ValueError):
        raise broken("holds no Base64") from None
    if not audio:
        raise broken("is empty")
    return Speech(audio)


def voices(account: Account, bounds: Bounds) -> list[OfferedVoice]:
    """All voices. Raises ProviderError."""
    answer = exchange(
        "GET", f"{account.origin(SPEECH_ORIGIN)}/v1/voices", headers=_headers(account), bounds=bounds
    ).json()
    return [_voice(voice) for voice in list_at(answer, "voices")]


def _voice(voice: Any) -> OfferedVoice:
    name, gender = text_at(voice, "name"), str(voice.get("ssmlGender", "")).lower()
    return OfferedVoice(
        name, name, text_at(voice, "languageCodes", 0), gender if gender in ("female", "male") else ""
    )


def write(account: Account, asked: CopyAsked, bounds: Bounds) -> Copy:
    """One text, written. Raises ProviderError."""
    answer = exchange(
        "POST",
        f"{account.origin(COPY_ORIGIN)}/v1beta/models/{quote(account.copy_model, safe='')}:generateContent",
        headers=_headers(account),
        body={
            "systemInstruction": {"parts": [{"text": asked.system}]},
            "contents": [{"role": "user", "parts": [{"text": asked.prompt}]}],
            "generationConfig": {"maxOutputTokens": asked.max_output_tokens},
        },
        bounds=bounds,
    ).json()
    text = "".join(text_at(part, "text") for part in list_at(answer, "candidates", 0, "content", "parts"))
    usage = dig(answer, "usageMetadata")
    read, written = count_at(usage, "promptTokenCount"), count_at(usage, "candidatesTokenCount")
    # A model that thinks is paid for its thoughts too.
    return Copy(
        text, read, written + (count_at(usage, "thoughtsTokenCount") if "thoughtsTokenCount" in usage else 0)
    )


def _headers(account: Account) -> dict[str, str]:
    return {"X-Goog-Api-Key": account.api_key}
