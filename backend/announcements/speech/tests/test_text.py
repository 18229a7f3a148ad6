"""Typed text becomes words and never commands."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from announcements.speech.errors import TextRefused
from announcements.speech.text import language_of, prepare, readable


@pytest.mark.parametrize(
    ("typed", "spoken"),
    [
        ("  Closing soon. \n\n\n Thank   you!\t", "Closing soon.\nThank you!"),
        ("Caf\u0065\u0301", "Café"),
        ("<speak>Hello <break time='5s'/>there</speak>", "Hello there"),
        ('<b>Two</b> for <i class="x">one</i><!-- not this -->', "Two for one"),
        ("Tom &amp; Jerry, 5 &lt; 6, fish & chips, R&D", "Tom & Jerry, 5 < 6, fish & chips, R&D"),
        ("&lt;speak&gt;sly&lt;/speak&gt; &amp;lt;b&amp;gt;slyer", "sly slyer"),
        ("<<b>speak>nested<</b>/speak>", "< speak>nested< /speak>"),
        ("3 < 4 and 5 > 4", "3 < 4 and 5 > 4"),
        ("-h --help", "-h --help"),
        ("bell\x07 null\x00 escape\x1b[0m", "bell null escape[0m"),
        ("\u202egninepo\u202c \u2066now\u2069", "gninepo now"),
        ("Sale 🎉 today 👨‍👩‍👧 only ❤️!", "Sale today only !"),
        ("[[h@l]] [[[deep]]]", "[h@l] [deep]"),
        ("مرحبا بكم", "مرحبا بكم"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("欢迎光临", "欢迎光临"),
        ("line\r\nbreak\u2028here", "line\nbreak\nhere"),
        ("24/7", "24/7"),
    ],
)
def test_what_is_spoken(typed: str, spoken: str) -> None:
    assert prepare(typed) == spoken


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "text_empty"),
        (" \n\t\u00a0", "text_empty"),
        ("x" * 5001, "text_too_long"),
        ("word " * 4000, "text_too_long"),
        ("🎉🎉 👍🏽", "text_unspeakable"),
        ("🇩🇪 ❤️", "text_unspeakable"),
        ("... !!! ---", "text_unspeakable"),
        ("<break/>", "text_unspeakable"),
        ("\x00\x07\u200b", "text_unspeakable"),
    ],
)
def test_what_is_refused(typed: str, code: str) -> None:
    with pytest.raises(TextRefused) as caught:
        prepare(typed)
    assert caught.value.code == code
    assert caught.value.detail.endswith(".")


def test_the_refusal_says_the_limit() -> None:
    with pytest.raises(TextRefused, match=r"20000 characters; at most 300 "):
        prepare("x" * 20_000, max_chars=300)
    assert prepare("x" * 300, max_chars=300) == "x" * 300


SPICED = st.text(
    st.one_of(st.characters(), st.sampled_from("<>/!-&;#[]ltgamp \n\r\u200d\u0338\u202e\U0001f389e\u0301")),
    max_size=80,
)


@given(SPICED)
def test_prepared_text_is_settled_and_harmless(typed: str) -> None:
    try:
        text = prepare(typed, max_chars=500)
    except TextRefused:
        return
    assert prepare(text, max_chars=5000) == text
    assert unicodedata.is_normalized("NFC", text)
    assert "[[" not in text
    assert all(
        char == "\n" or char in "\u200c\u200d" or unicodedata.category(char)[0] != "C" for char in text
    )
    assert "<speak>" not in prepare(f"a<speak>{text}", max_chars=5000)


@pytest.mark.parametrize(
    ("text", "language", "others"),
    [
        ("Good morning", None, ()),
        ("مرحبا بكم في متجرنا", "ar", ("en-GB", "de")),
        ("欢迎光临 OK", "zh", ("en", "ko")),
        ("いらっしゃいませ、お客様", "ja", ("zh", "en")),
        ("नमस्ते", "hi", ("en", "ta")),
        ("Добро пожаловать", "ru", ("pl", "el")),
        ("The Greek word λόγος means word", None, ()),
        ("123", None, ()),
    ],
)
def test_script_and_language(text: str, language: str | None, others: tuple[str, ...]) -> None:
    assert language_of(text) == language
    assert readable(text, language or "en-GB")
    for other in others:
        assert not readable(text, other)
