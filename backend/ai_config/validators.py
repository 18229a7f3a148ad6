"""Where a provider may be called."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError

from common.environment import LOOPBACK_HOSTS


def validate_provider_address(address: str) -> None:
    """Raises `ValidationError` unless `address` is the origin of an HTTPS server, or in DEBUG of one on this machine.

    A key and a shop's texts go there. No path but a prefix, no credentials, no query.
    """
    try:
        parts = urlsplit(address)
        host = parts.hostname
        _ = parts.port  # raises for what is no port
    except ValueError:
        host = None
    if not host or any((parts.username, parts.password, parts.query, parts.fragment)):
        raise ValidationError("Write it like https://api.example.com.", code="bad_address")
    local = host in {name.strip("[]") for name in LOOPBACK_HOSTS}
    if parts.scheme != "https" and not (settings.DEBUG and local and parts.scheme == "http"):
        raise ValidationError("A key travels there: the address must begin with https://.", code="not_https")
