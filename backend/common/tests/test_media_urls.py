"""Signed links: stable in an hour, good for a day, and nothing in them can be changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.media_urls import genuine, media_url

NOW = datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC)
SHA = "ab" * 32


def parts(url: str) -> tuple[str, str, str]:
    """Path, expiry and signature."""
    split = urlsplit(url)
    query = parse_qs(split.query)
    return split.path, query["e"][0], query["s"][0]


def test_shape():
    url, expires_at = media_url("music", 7, SHA, now=NOW)
    assert url.startswith(f"/media/music/7/{SHA}?e=")
    assert expires_at == datetime(2026, 3, 2, 13, tzinfo=UTC)
    assert genuine(*parts(url), now=NOW)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_lives_a_day_and_less_than_an_hour_more(now):
    url, expires_at = media_url("music", 7, SHA, now=now)
    assert timedelta(hours=24) < expires_at - now <= timedelta(hours=25)
    assert genuine(*parts(url), now=expires_at - timedelta(microseconds=1))
    assert not genuine(*parts(url), now=expires_at)


def test_stable_within_an_hour_in_any_zone():
    start = NOW.replace(minute=0, second=0)
    india = timezone(timedelta(hours=5, minutes=30))
    same = {
        media_url("music", 7, SHA, now=moment)
        for moment in (start, NOW, NOW.astimezone(india), start + timedelta(minutes=59, seconds=59))
    }
    assert len(same) == 1
    assert media_url("music", 7, SHA, now=start + timedelta(hours=1)) not in same


@pytest.mark.parametrize("part", ["kind", "pk", "sha256", "e", "s"])
def test_nothing_can_be_changed(part):
    url, _ = media_url("music", 7, SHA, now=NOW)
    path, expiry, signature = parts(url)
    path = path.replace(
        *{"kind": ("music", "announcement"), "pk": ("/7/", "/8/"), "sha256": ("ab", "ba")}.get(part, ("", ""))
    )
    expiry = str(int(expiry) + 1) if part == "e" else expiry
    signature = signature[:-1] + ("A" if signature[-1] != "A" else "B") if part == "s" else signature
    assert not genuine(path, expiry, signature, now=NOW)


@pytest.mark.parametrize(
    ("expiry", "signature"), [("", ""), ("x", "y"), ("1", ""), ("", ":"), ("9" * 99, "é")]
)
def test_rubbish_is_not_genuine(expiry, signature):
    assert not genuine(f"/media/music/7/{SHA}", expiry, signature, now=NOW)


def test_old_keys_still_open(settings):
    """A rotated SECRET_KEY does not silence the shops."""
    url, _ = media_url("music", 7, SHA, now=NOW)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key altogether, of a good length"
    assert genuine(*parts(url), now=NOW)
    settings.SECRET_KEY_FALLBACKS = []
    assert not genuine(*parts(url), now=NOW)
