"""OpenAI: speech and copy.

https://platform.openai.com/docs/api-reference/audio/createSpeech: POST /v1/audio/speech, the MP3 as the body; the
voices are a fixed list there.
https://platform.openai.com/docs/api-reference/chat/create: POST /v1/chat/completions.
https://platform.openai.com/docs/guides/error-codes: a 429 with `insufficient_quota` means that the credit is used up.
"""

from __future__ import annotations

from ai_config.adapters.http import MOST_AUDIO_BYTES, audio_of, count_at, exchange, text_at
from ai_config.adapters.values import (
    MANY_LANGUAGES,
    Account,
    Bounds,
    Copy,
    CopyAsked,
    OfferedVoice,
    Speech,
    SpeechAsked,
)

ORIGIN = "https://api.openai.com"
VOICES = ("alloy", "ash", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer")
"""Those that all speech models have."""


def speak(account: Account, asked: SpeechAsked, bounds: Bounds) -> Speech:
    """One text, spoken. Raises ProviderError."""
    answer = exchange(
        "POST",
        f"{account.origin(ORIGIN)}/v1/audio/speech",
        headers=_headers(account),
        body={
            "model": account.speech_model,
            "voice": asked.voice,
            "input": asked.text,
            "response_format": "mp3",
        },
        bounds=bounds,
        most_bytes=MOST_AUDIO_BYTES,
    )
    return Speech(audio_of(answer))


def voices(account: Account, bounds: Bounds) -> list[OfferedVoice]:
    """The voices of the documentation; nothing is asked."""
    return [OfferedVoice(name, name.title(), MANY_LANGUAGES) for name in VOICES]


def write(account: Account, asked: CopyAsked, bounds: Bounds) -> Copy:
    """One text, written. Raises ProviderError."""
    answer = exchange(
        "POST",
        f"{account.origin(ORIGIN)}/v1/chat/completions",
        headers=_headers(account),
        body={
            "model": account.copy_model,
            "messages": [
                {"role": "system", "content": asked.system},
                {"role": "user", "content": asked.prompt},
            ],
            "max_completion_tokens": asked.max_output_tokens,
        },
        bounds=bounds,
    ).json()
    return Copy(
        text_at(answer, "choices", 0, "message", "content"),
        count_at(answer, "usage", "prompt_tokens"),
        count_at(answer, "usage", "completion_tokens"),
    )


def _headers(account: Account) -> dict[str, str]:
    return {"Authorization": f"Bearer {account.api_key}"}
