"""What is asked of a provider and what it answers, in words of our own."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Account:
    """Whom to call and as whom. `base_url` empty: the provider's own address, else the origin before `/v1/…`."""

    api_key: str = field(repr=False)
    base_url: str = ""
    speech_model: str = ""
    copy_model: str = ""

    def origin(self, usual: str) -> str:
        """The start of every address."""
        return (self.base_url or usual).rstrip("/")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds to connect, to wait for the next bytes, and for all of it."""

    connect_s: float = 5.0
    read_s: float = 30.0
    total_s: float = 60.0


BACKGROUND = Bounds()
"""For jobs."""
INTERACTIVE = Bounds(connect_s=3.0, read_s=15.0, total_s=20.0)
"""While a person waits."""
LISTING = Bounds(connect_s=3.0, read_s=5.0, total_s=8.0)
"""For lists of voices."""


@dataclass(frozen=True, slots=True)
class SpeechAsked:
    """Plain text to speak, the provider's own name of the voice, the language (BCP 47; empty: the text's)."""

    text: str
    voice: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Speech:
    """An audio file as it came, and the characters it is charged for (None: those of the text)."""

    audio: bytes = field(repr=False)
    characters: int | None = None


@dataclass(frozen=True, slots=True)
class CopyAsked:
    """`system` holds our instructions, `prompt` the data they are about."""

    system: str
    prompt: str
    max_output_tokens: int


@dataclass(frozen=True, slots=True)
class Copy:
    """What was written, and the tokens it is charged for."""

    text: str
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class OfferedVoice:
    """A voice as its provider lists it: `language` BCP 47, `mul` for many; `gender` "female", "male" or ""."""

    name: str
    label: str
    language: str
    gender: str = ""


MANY_LANGUAGES = "mul"
"""ISO 639-2: a voice that speaks whatever the text is written in."""
