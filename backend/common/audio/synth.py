"""Generated sound for a demonstration: short pieces of music and chimes, the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from common.audio.samples import Samples

RATE = 44_100
"""Hz of everything made here."""

_Mono = npt.NDArray[np.float64]

_CHORDS: dict[str, tuple[int, ...]] = {  # semitones above the root
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "maj7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "7": (0, 4, 7, 10),
}


@dataclass(frozen=True)
class Style:
    """A kind of piece.

    `tempo` in beats per minute, `key` a MIDI note, `chords` one per bar as (semitones above key, kind),
    `steps` the notes of the chord that an arpeggio takes in a bar, `percussion` its strength 0–1, `partials`
    the amplitude of each harmonic of the lead and `decay` its time constant in s.
    """

    title: str
    tempo: int
    key: int
    chords: tuple[tuple[int, str], ...]
    steps: tuple[int, ...]
    percussion: float
    partials: tuple[float, ...]
    decay: float


STYLES: tuple[Style, ...] = (
    Style(
        "Morning Window",
        84,
        60,
        ((0, "maj7"), (9, "m7"), (5, "maj7"), (7, "7")),
        (0, 1, 2, 3, 2, 1, 2, 3),
        0.25,
        (1, 0.35, 0.12),
        0.9,
    ),
    Style(
        "Slow Tide",
        60,
        57,
        ((0, "m7"), (8, "maj7"), (3, "maj7"), (10, "")),
        (0, 2, 1, 3),
        0.0,
        (1, 0.5, 0.2, 0.08),
        2.2,
    ),
    Style(
        "Side Street",
        104,
        62,
        ((0, "7"), (5, "7"), (0, "7"), (7, "7")),
        (0, 3, 1, 2, 3, 0, 2, 1),
        0.55,
        (1, 0.0, 0.4, 0.0, 0.15),
        0.35,
    ),
    Style(
        "Paper Lanterns",
        96,
        65,
        ((0, ""), (7, ""), (9, "m"), (5, "")),
        (0, 1, 2, 0, 1, 2, 1, 2),
        0.4,
        (1, 0.1, 0.05, 0.2),
        0.5,
    ),
)


def style_of(seed: int) -> Style:
    """The kind of piece that `seed` gives: neighbouring seeds differ."""
    return STYLES[seed % len(STYLES)]


def _hertz(note: float) -> float:
    return float(440.0 * 2 ** ((note - 69) / 12))


@lru_cache(maxsize=64)
def _tone(
    hertz: float, seconds: float, partials: tuple[float, ...], decay: float, attack: float = 0.008
) -> _Mono:
    """A plucked or struck tone: harmonics below 8 kHz that fade the faster the higher they are."""
    time = np.arange(int(seconds * RATE)) / RATE
    tone = np.zeros_like(time)
    for harmonic, level in enumerate(partials, start=1):
        if level and harmonic * hertz < 8000:
            fade = np.exp(-time * harmonic**0.5 / decay)
            tone += level * fade * np.sin(2 * np.pi * harmonic * hertz * time)
    return tone * np.minimum(1, time / attack) * np.minimum(1, (seconds - time) / 0.02)


@lru_cache(maxsize=64)
def _pad(hertz: float, seconds: float) -> _Mono:
    """A soft held tone of two slightly detuned voices."""
    time = np.arange(int(seconds * RATE)) / RATE
    voices: _Mono = np.sin(2 * np.pi * hertz * time) + np.sin(2 * np.pi * hertz * 1.003 * time)
    swell: _Mono = np.minimum(1, time / 0.4) * np.minimum(1, (seconds - time) / 0.4)
    return voices * swell


def _kick() -> _Mono:
    time = np.arange(int(0.25 * RATE)) / RATE
    fall: _Mono = np.sin(2 * np.pi * (48 * time + 3 * (1 - np.exp(-time * 30))))
    return fall * np.exp(-time * 14)


def _shaker(rng: np.random.Generator) -> _Mono:
    time = np.arange(int(0.09 * RATE)) / RATE
    noise = rng.standard_normal(time.size)
    bright: _Mono = np.convolve(noise, (0.5, 0, -0.5), "same")
    return bright * np.exp(-time * 55) * np.minimum(1, time / 0.01)


def _lay(mix: _Mono, at_s: float, sound: _Mono, level: float, pan: float = 0.0) -> None:
    """Adds `sound` to `mix` (2, n) at `at_s`; `pan` −1 left to 1 right, at equal power."""
    at = int(at_s * RATE)
    piece = sound[: max(0, mix.shape[1] - at)]
    angle = (pan + 1) * np.pi / 4
    mix[0, at : at + piece.size] += level * np.cos(angle) * piece
    mix[1, at : at + piece.size] += level * np.sin(angle) * piece


def _finished(mix: _Mono, peak: float, fade_s: float) -> Samples:
    fade = np.linspace(0, 1, int(fade_s * RATE))
    mix[..., : fade.size // 4] *= fade[: fade.size // 4 * 4 : 4]
    mix[..., -fade.size :] *= fade[::-1]
    return (mix * (peak / max(float(np.abs(mix).max()), 1e-9))).astype(np.float32)


def demo_track(seed: int, seconds: float) -> Samples:
    """A piece of music, stereo at `RATE`, peak −3 dBFS, fading at its end. Equal seeds give equal samples.

    Four kinds (`style_of`), each with chords, bass, an arpeggio and soft percussion; the seed also
    moves the key and the turns of the arpeggio.
    """
    style, rng = style_of(seed), np.random.default_rng(seed)
    key = style.key + int(rng.integers(-2, 3))
    beat = 60 / style.tempo
    mix = np.zeros((2, int(seconds * RATE)))
    kick, shaker = _kick(), _shaker(rng)
    for bar in range(int(seconds / (4 * beat)) + 1):
        start = bar * 4 * beat
        root, kind = style.chords[bar % len(style.chords)]
        notes = [key + (root if root < 7 else root - 12) + step for step in _CHORDS[kind]]
        for voice, note in enumerate(notes):
            _lay(mix, start, _pad(_hertz(note - 12), 4 * beat), 0.05, (-0.6, 0.6, -0.3, 0.3)[voice])
        for half in (0, 2):
            _lay(mix, start + half * beat, _tone(_hertz(notes[0] - 24), 2 * beat, (1, 0.3), 0.8), 0.35)
        turn = int(rng.integers(len(style.steps)))
        for step in range(len(style.steps)):
            note = notes[style.steps[(step + turn) % len(style.steps)] % len(notes)] + 12
            tone = _tone(_hertz(note), 3 * beat, style.partials, style.decay)
            level = 0.16 * rng.uniform(0.75, 1)
            _lay(mix, start + step * 4 * beat / len(style.steps), tone, level, rng.uniform(-0.5, 0.5))
        for tick in range(8 if style.percussion else 0):
            _lay(mix, start + tick * beat / 2, shaker, style.percussion * (0.06 if tick % 2 else 0.03), 0.3)
            if tick % 4 == 0:
                _lay(mix, start + tick * beat / 2, kick, style.percussion * 0.5)
    return _finished(mix, 10 ** (-3 / 20), 1.5)


_CHIMES: dict[str, tuple[tuple[float, int], ...]] = {  # name: (start in s, MIDI note)
    "ding": ((0.0, 79),),
    "ding_dong": ((0.0, 76), (0.55, 72)),
    "three_tone": ((0.0, 67), (0.35, 72), (0.7, 76)),
}
CHIMES: tuple[str, ...] = tuple(_CHIMES)
"""Names of the chimes."""


def chime(name: str) -> Samples:
    """A gentle bell, mono at `RATE`, of 1 to 2 s, peak −6 dBFS.

    Raises KeyError for a name not in `CHIMES`.
    """
    strokes = _CHIMES[name]
    mix = np.zeros((2, int((strokes[-1][0] + 1.2) * RATE)))
    for at, note in strokes:
        _lay(mix, at, _tone(_hertz(note), 1.2, (1, 0.4, 0.15, 0.1), 0.45, attack=0.004), 1.0)
    return _finished(mix[:1], 10 ** (-6 / 20), 0.15)
