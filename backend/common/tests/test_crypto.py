"""Encryption at rest: what is stored cannot be read, keys can be changed, and a lost key is told."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from common import crypto

OLD, NEW, FOREIGN = (Fernet.generate_key().decode() for _ in range(3))


@given(st.text())
def test_what_is_encrypted_comes_back(plain: str) -> None:
    sealed = crypto.encrypt(plain)
    assert crypto.decrypt(sealed) == plain
    assert len(plain) < 6 or plain not in sealed


def test_keys_rotate(settings: Any) -> None:
    settings.ENCRYPTION_KEYS = (OLD,)
    sealed = crypto.encrypt("s3cret")
    settings.ENCRYPTION_KEYS = (NEW, OLD)
    assert crypto.decrypt(sealed) == "s3cret"
    assert not crypto.is_current(sealed)
    renewed = crypto.encrypt("s3cret")
    assert crypto.is_current(renewed)
    settings.ENCRYPTION_KEYS = (NEW,)
    assert crypto.decrypt(renewed) == "s3cret"
    with pytest.raises(crypto.CannotDecrypt):
        crypto.decrypt(sealed)


@pytest.mark.parametrize(
    "sealed", ["", "plain text", "gAAAAA", Fernet(FOREIGN.encode()).encrypt(b"x").decode()]
)
def test_what_no_key_opens_is_refused(sealed: str) -> None:
    with pytest.raises(crypto.CannotDecrypt):
        crypto.decrypt(sealed)


def test_the_field_seals_on_the_way_in_and_opens_on_the_way_out() -> None:
    field = crypto.EncryptedTextField()
    stored = field.get_prep_value("sk-123456")
    assert "sk-123456" not in stored
    assert field.from_db_value(stored, None, None) == "sk-123456"


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_value_stays_empty(empty: str | None) -> None:
    field = crypto.EncryptedTextField()
    assert field.get_prep_value(empty) == empty
    assert field.from_db_value(empty, None, None) == empty


def test_secrets_are_long_fresh_and_recognised_by_their_fingerprint() -> None:
    one, other = crypto.new_secret(), crypto.new_secret()
    assert one != other
    assert len(one) >= 43, "256 bits in base64"
    assert crypto.fingerprint(one) == crypto.fingerprint(one) != crypto.fingerprint(other)
    assert len(crypto.fingerprint(one)) == 64
