"""Validators of model fields, and the errors of services about one field."""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError

LARGEST_INTEGER = 2**63 - 1
"""Of a BigAutoField; databases refuse to compare with more."""


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def validate_time_zone(name: str) -> None:
    """Raises `ValidationError` unless `name` is an IANA time zone."""
    if name not in _zones():
        raise ValidationError(
            "%(name)r is not an IANA time zone; write it like Europe/London.",
            code="unknown_time_zone",
            params={"name": name},
        )


def field_error(field: str, code: str, detail: str) -> ValidationError:
    """What a service raises about one field: `code` is stable, `detail` a sentence for a person."""
    return ValidationError({field: ValidationError(detail, code=code)})
