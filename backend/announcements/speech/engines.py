"""How each engine is made to speak. Runs only in the child process.

Text reaches an engine on stdin or in a file, never as an argument and never through a shell, so that
nothing in it can be an option or a command.
"""

from __future__ import annotations

import re
import subprocess
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from announcements.speech import espeak
from announcements.speech.errors import SpeechFailed
from announcements.speech.values import Voice

_PLAIN_SIGNS = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "€": " euro "}
)


# A neural voice computes a sentence at once, with memory that grows with its square.
_ENDLESS = re.compile(r"([^.!?。]{400,}?)\s(\S)")


@dataclass(frozen=True)
class Engine:
    """`speak` writes (text, voice, rate) to a WAV; `own_rate` is False if it cannot change its speed."""

    speak: Callable[[str, Voice, float, Path], None]
    own_rate: bool = True


def _run(arguments: list[str], stdin: bytes, target: Path) -> None:
    """Runs a program, whose time is the child's own. Raises SpeechFailed with the last of what it said."""
    messages = target.with_name("messages.txt")
    with messages.open("wb") as stderr:
        ended = subprocess.run(  # noqa: S603 - fixed programs, text on stdin
            arguments, input=stdin, stdout=subprocess.DEVNULL, stderr=stderr, cwd=target.parent, check=False
        )
    if ended.returncode:
        said = messages.read_bytes()[-500:].decode(errors="replace").strip()
        detail = f"The speech engine {arguments[0]} ended with status {ended.returncode}. {said}"
        raise SpeechFailed("engine_crashed", detail.strip())


def _ascii(text: str) -> bytes:
    """Text for engines that know no more than ASCII: accents dropped, what is left unknown dropped too."""
    return unicodedata.normalize("NFKD", text.translate(_PLAIN_SIGNS)).encode("ascii", "ignore")


def _unmarked(text: str) -> str:
    """Text for engines that take a lone angle bracket for the start of a command."""
    return text.replace("<", " ").replace(">", " ")


def _espeak(text: str, voice: Voice, rate: float, target: Path) -> None:
    espeak.speak(text, voice.name, target, rate)


def _pico(text: str, voice: Voice, rate: float, target: Path) -> None:
    _run(["pico2wave", "-l", voice.name, "-w", str(target)], _unmarked(text).encode(), target)


def _rhvoice(text: str, voice: Voice, rate: float, target: Path) -> None:
    percent = str(round(100 * rate))
    _run(["RHVoice-test", "-p", voice.name, "-r", percent, "-o", str(target)], text.encode(), target)


def _festival(text: str, voice: Voice, rate: float, target: Path) -> None:
    command = f"(voice_{voice.name})"
    _run(["text2wave", "-eval", command, "-mode", "fundamental", "-o", str(target)], _ascii(text), target)


def _flite(text: str, voice: Voice, rate: float, target: Path) -> None:
    source = target.with_name("text.txt")
    source.write_bytes(_ascii(text))
    stretch = f"duration_stretch={1 / rate:.3f}"
    _run(
        ["flite", "-voice", voice.name, "--setf", stretch, "-f", str(source), "-o", str(target)], b"", target
    )


def one_line(text: str) -> str:
    """Text for Piper: one line, since it may speak each into a file that replaces the one before.

    An endless sentence is ended; the capital is what tells a full stop from an abbreviation.
    """
    return _ENDLESS.sub(lambda found: f"{found[1]}. {found[2].upper()}", " ".join(text.split()))


def _piper(text: str, voice: Voice, rate: float, target: Path) -> None:
    arguments = ["--model", voice.source, "--config", f"{voice.source}.json", "--output_file", str(target)]
    _run(["piper", *arguments, "--length_scale", f"{1 / rate:.3f}"], one_line(text).encode() + b"\n", target)


ENGINES: dict[str, Engine] = {
    "piper": Engine(_piper),
    "pico": Engine(_pico, own_rate=False),
    "rhvoice": Engine(_rhvoice),
    "festival": Engine(_festival, own_rate=False),
    "flite": Engine(_flite),
    "espeak": Engine(_espeak),
}
