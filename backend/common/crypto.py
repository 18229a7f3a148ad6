"""Encryption at rest for secrets that must be read back, and hashing for those that must not.

Fernet (AES-128-CBC with HMAC-SHA-256) with rotation: the first key of
`ENCRYPTION_KEYS` encrypts, all of them decrypt.
"""

from __future__ import annotations

import hashlib
import secrets
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class CannotDecrypt(Exception):
    """None of ENCRYPTION_KEYS opens this value: a key was dropped before everything was re-encrypted."""


@lru_cache(maxsize=4)
def _ring(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(plain: str) -> str:
    """Text that only ENCRYPTION_KEYS opens."""
    return _ring(tuple(settings.ENCRYPTION_KEYS)).encrypt(plain.encode()).decode()


def decrypt(sealed: str) -> str:
    """The text that was encrypted; raises `CannotDecrypt`."""
    try:
        return _ring(tuple(settings.ENCRYPTION_KEYS)).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise CannotDecrypt from None


def is_current(sealed: str) -> bool:
    """Whether the first key alone opens this value."""
    try:
        _ring(tuple(settings.ENCRYPTION_KEYS[:1])).decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True


def new_secret() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def fingerprint(secret: str) -> str:
    """SHA-256 in hex of a high-entropy secret: enough to recognise it, useless to an attacker who reads it."""
    return hashlib.sha256(secret.encode()).hexdigest()


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]  # generic in the stubs alone
    """Text that is encrypted in the database and plain in Python. It cannot be searched."""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        """Decrypts what the database holds; an empty value stays empty."""
        return decrypt(value) if value else value

    def get_prep_value(self, value: Any) -> Any:
        """Encrypts on the way into the database."""
        prepared = super().get_prep_value(value)
        return encrypt(prepared) if prepared else prepared
