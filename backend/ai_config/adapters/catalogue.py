"""Which provider does what, and what is taken where its account leaves a setting empty."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from ai_config.adapters import anthropic, elevenlabs, google, openai
from ai_config.adapters.values import Account, Bounds, Copy, CopyAsked, OfferedVoice, Speech, SpeechAsked

SPEECH, COPY = "speech", "copy"
KINDS = (SPEECH, COPY)


@dataclass(frozen=True, slots=True)
class Speaks:
    """How it speaks. `longest` is what one request may hold: bytes of UTF-8, or characters. The price is the list's."""

    speak: Callable[[Account, SpeechAsked, Bounds], Speech]
    voices: Callable[[Account, Bounds], list[OfferedVoice]]
    model: str
    voice: str
    longest: int
    in_bytes: bool
    per_1000_characters: Decimal
    quality: int

    def fits(self, text: str) -> bool:
        """Whether one request may hold this text."""
        return len(text.encode() if self.in_bytes else text) <= self.longest


@dataclass(frozen=True, slots=True)
class Writes:
    """How it writes. Prices are list prices."""

    write: Callable[[Account, CopyAsked, Bounds], Copy]
    model: str
    per_1000_input: Decimal
    per_1000_output: Decimal


@dataclass(frozen=True, slots=True)
class Entry:
    """One provider."""

    speaks: Speaks | None = None
    writes: Writes | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """What it serves, of `KINDS`."""
        return tuple(kind for kind, has in ((SPEECH, self.speaks), (COPY, self.writes)) if has is not None)


CATALOGUE: dict[str, Entry] = {
    "elevenlabs": Entry(
        speaks=Speaks(
            elevenlabs.speak,
            elevenlabs.voices,
            model="eleven_multilingual_v2",
            voice="JBFqnCBsd6RMkjVDRZzb",
            longest=10_000,
            in_bytes=False,
            per_1000_characters=Decimal("0.30"),
            quality=98,
        )
    ),
    "openai": Entry(
        speaks=Speaks(
            openai.speak,
            openai.voices,
            model="tts-1",
            voice="nova",
            longest=4096,
            in_bytes=False,
            per_1000_characters=Decimal("0.015"),
            quality=95,
        ),
        writes=Writes(
            openai.write,
            model="gpt-4o-mini",
            per_1000_input=Decimal("0.00015"),
            per_1000_output=Decimal("0.0006"),
        ),
    ),
    "google": Entry(
        speaks=Speaks(
            google.speak,
            google.voices,
            model="",  # a voice of Google's is its model
            voice="en-GB-Neural2-A",
            longest=5000,
            in_bytes=True,
            per_1000_characters=Decimal("0.016"),
            quality=92,
        ),
        writes=Writes(
            google.write,
            model="gemini-2.5-flash-lite",
            per_1000_input=Decimal("0.0001"),
            per_1000_output=Decimal("0.0004"),
        ),
    ),
    "anthropic": Entry(
        writes=Writes(
            anthropic.write,
            model="claude-haiku-4-5",
            per_1000_input=Decimal("0.001"),
            per_1000_output=Decimal("0.005"),
        )
    ),
}
"""By the brief's names. Voices of a provider are named `elevenlabs:VOICE` all over the API."""
