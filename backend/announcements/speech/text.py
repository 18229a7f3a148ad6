"""What a person typed, made into plain text that every engine reads as words and none as commands."""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter

from announcements.speech.errors import TextRefused

_TAG = re.compile(r"<!--.*?-->|</?[A-Za-z!?][^<>]*>", re.DOTALL)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_LOOSE_JOINER = re.compile("(?:^|(?<=[\\s!-/:-@]))[\u200c\u200d]+")  # left over from emoji
_SPACES = re.compile(r"[^\S\n]+")
_BREAKS = re.compile(r" ?(?:\n ?)+")

# Pictographs, symbols of emoji, flags, skin tones, keycap and tag characters (Unicode blocks; UTS #51).
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\U0001fb00-\U0001fbff\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf"
    "\u2900-\u297f\u2b00-\u2bff\u20e3\ufe00-\ufe0f\U000e0000-\U000e007f]"
)

# Scripts that a voice of another script spells out at best, and the languages that are written in them.
_SCRIPTS: dict[str, tuple[str, ...]] = {
    "ARABIC": ("ar", "fa", "ur", "sd", "ug", "ku", "ps"),
    "ARMENIAN": ("hy",),
    "BENGALI": ("bn", "as", "bpy"),
    "CHEROKEE": ("chr",),
    "CJK": ("zh", "yue", "hak", "ja"),
    "CYRILLIC": (
        *("ru", "uk", "bg", "sr", "mk", "be", "kk", "ky", "tt", "ba", "cv", "uz", "bs", "nog", "mn"),
        *("tg", "tk", "az", "mto"),
    ),
    "DEVANAGARI": ("hi", "mr", "ne", "kok", "sa", "sd"),
    "ETHIOPIC": ("am", "ti", "om"),
    "GEORGIAN": ("ka",),
    "GREEK": ("el", "grc"),
    "GUJARATI": ("gu",),
    "GURMUKHI": ("pa",),
    "HANGUL": ("ko",),
    "HEBREW": ("he",),
    "HIRAGANA": ("ja",),
    "KANNADA": ("kn",),
    "KATAKANA": ("ja",),
    "MALAYALAM": ("ml",),
    "MYANMAR": ("my", "shn"),
    "ORIYA": ("or",),
    "SINHALA": ("si",),
    "TAMIL": ("ta",),
    "TELUGU": ("te",),
    "THAI": ("th",),
}


def _spoken(char: str) -> str:
    """A character as it is kept: line ends and tabs as white space, control and format characters dropped.

    Joiners stay, since Persian and the scripts of India spell with them. Bidi controls go, since they order
    what is seen and not what is said.
    """
    if char in "\u2028\u2029\x85\r\n":
        return "\n"
    if char.isspace():
        return " "
    if unicodedata.category(char)[0] == "C" and char not in "\u200c\u200d":
        return ""
    return char


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    text = _ENTITY.sub(lambda match: html.unescape(match.group()), text)
    text = _TAG.sub(" ", text)
    text = "".join(_spoken(char) for char in _EMOJI.sub(" ", text))
    text = _LOOSE_JOINER.sub("", text)
    # Two brackets open a passage of phonemes in eSpeak's and Piper's notation.
    text = text.replace("[[", "[").replace("]]", "]")
    return _BREAKS.sub("\n", _SPACES.sub(" ", text)).strip()


def prepare(text: str, *, max_chars: int = 5000) -> str:
    """`text` as it will be spoken, in NFC; preparing it again changes nothing.

    Tags of SSML and HTML are dropped and what stands between them is spoken; entities become their
    characters. Emoji, control characters, bidi controls are dropped. Raises TextRefused: `text_empty`,
    `text_too_long` for more than `max_chars` characters as typed, `text_unspeakable` when neither a letter
    nor a digit is left.
    """
    if not text.strip():
        raise TextRefused("text_empty", "There is no text to speak.")
    if len(text.strip()) > max_chars:
        detail = f"The text has {len(text.strip())} characters; at most {max_chars} can be spoken."
        raise TextRefused("text_too_long", detail)
    plain = _plain(text)
    # Taking a tag away can leave another behind (`<<b>i>`, `&amp;lt;b>`), so until nothing changes.
    while (again := _plain(plain)) != plain:
        plain = again
    if not any(char.isalnum() for char in plain):
        raise TextRefused("text_unspeakable", "The text holds no words, and signs alone cannot be spoken.")
    return plain


def _script(text: str) -> str | None:
    """The script of `_SCRIPTS` that most letters of `text` belong to; None for Latin and all others."""
    counts = Counter(unicodedata.name(char, "?").split()[0] for char in text if char.isalpha())
    if counts["HIRAGANA"] + counts["KATAKANA"]:
        counts["HIRAGANA"] += counts.pop("CJK", 0) + counts.pop("KATAKANA", 0)
    if not counts:
        return None
    script, _ = counts.most_common(1)[0]
    return script if script in _SCRIPTS else None


def language_of(text: str) -> str | None:
    """The likeliest language (BCP 47) of a text whose script tells it; None for Latin script."""
    script = _script(text)
    return _SCRIPTS[script][0] if script else None


def readable(text: str, language: str) -> bool:
    """False if `text` is mostly written in a script that `language` (BCP 47) is not written in."""
    script = _script(text)
    return script is None or language.split("-")[0] in _SCRIPTS[script]
