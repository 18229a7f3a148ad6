"""Signatures of Standard Webhooks (https://www.standardwebhooks.com, `v1`: HMAC-SHA256). Pure, `fresh_secret` aside."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime

PREFIX = "whsec_"
SECRET_BYTES = 32
"""The specification asks for 24 to 64."""


def fresh_secret() -> str:
    """A secret as the receiver is told it: `whsec_` and base64 of 256 random bits."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(secret: str, *, message_id: str, at: datetime, body: bytes) -> str:
    """One signature, `v1,<base64>`, over `id.timestamp.body`; the timestamp is whole seconds since 1970."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{int(at.timestamp())}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def headers(secrets_: Iterable[str], *, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of one attempt; a signature for each secret that still holds."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(
            sign(secret, message_id=message_id, at=at, body=body) for secret in secrets_
        ),
    }
