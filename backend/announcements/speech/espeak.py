"""eSpeak NG through ctypes. Runs only in the child process: a fault here ends the process it is in."""

from __future__ import annotations

import ctypes
import wave
from pathlib import Path

import espeakng_loader

from announcements.speech.errors import SpeechFailed

# speak_lib.h of eSpeak NG 1.52
_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_RATE, _PITCH, _RANGE, _WORD_GAP = 1, 3, 4, 7
_CHARACTERS = 1
_UTF8 = 1  # neither SSML (0x10) nor phonemes (0x100): text is only text
_LONGEST_PATH = 140  # its buffer for the data path is of 160 bytes

_WORDS_PER_MINUTE = 155  # its own 175 is hard to follow over a shop's loudspeaker
_SETTINGS = {_PITCH: 45, _RANGE: 60, _WORD_GAP: 1}  # 0–100, 0–100, units of 10 ms

_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(ctypes.c_char)
)


def speak(text: str, voice: str, target: Path, rate: float) -> None:
    """Writes `text` to `target` as a mono 16-bit WAV of 22,050 Hz.

    `voice` is a language file ("gmw/en-US"). Raises SpeechFailed `engine_crashed`.
    """
    data = Path(espeakng_loader.get_data_path())
    if len(str(data).encode()) > _LONGEST_PATH:
        short = target.with_name("espeak-ng-data")
        short.symlink_to(data)
        data = short
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    hertz = library.espeak_Initialize(_SYNCHRONOUS, 0, str(data).encode(), _DONT_EXIT)
    if hertz <= 0:
        raise SpeechFailed("engine_crashed", "The speech engine did not start: its data was not found.")
    pieces: list[bytes] = []

    def collect(samples: ctypes._Pointer[ctypes.c_short], count: int, _: object) -> int:
        if samples and count:
            pieces.append(ctypes.string_at(samples, count * 2))
        return 0

    callback = _Callback(collect)  # named, so that it outlives the calls from C
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise SpeechFailed("engine_crashed", f"The speech engine does not know the voice {voice!r}.")
    library.espeak_SetParameter(_RATE, round(_WORDS_PER_MINUTE * rate), 0)
    for parameter, value in _SETTINGS.items():
        library.espeak_SetParameter(parameter, value, 0)
    encoded = text.encode() + b"\0"
    status = library.espeak_Synth(
        encoded, ctypes.c_size_t(len(encoded)), 0, _CHARACTERS, 0, _UTF8, None, None
    )
    if status != 0 or library.espeak_Synchronize() != 0:
        raise SpeechFailed("engine_crashed", "The speech engine refused the text.")
    with wave.open(str(target), "wb") as out:
        out.setparams((1, 2, hertz, 0, "NONE", ""))
        out.writeframes(b"".join(pieces))
