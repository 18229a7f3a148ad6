"""Stamps: what a row is told apart by from what it was before, without reading the rest of it."""

from __future__ import annotations

import secrets

STAMP_BITS = 63


def new_stamp() -> int:
    """A number that no other change has: not one that was rolled back, nor one of a backup that was put back."""
    return secrets.randbits(STAMP_BITS)
