"""What a call costs. Money is counted in whole millionths of a US dollar (µ$), always rounded up.

Whole numbers are exact in every database: many small costs add up to what they are, and a sum that is compared with a
budget never hides a fraction.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

MICRO = 1_000_000
PER = 1000
"""Prices are per thousand characters or tokens."""


def to_microusd(usd: Decimal) -> int:
    """Dollars as µ$, a fraction rounded up."""
    return int((usd * MICRO).to_integral_value(ROUND_CEILING))


def to_usd(microusd: int) -> Decimal:
    """µ$ as dollars, exactly, with six decimals."""
    return Decimal(microusd).scaleb(-6)


def cents_up(microusd: int) -> Decimal:
    """µ$ as dollars and whole cents, rounded up."""
    return to_usd(microusd).quantize(Decimal("0.01"), ROUND_CEILING)


def speech_cost(characters: int, *, per_1000_characters: Decimal) -> int:
    """µ$ for speaking this many characters."""
    return to_microusd(per_1000_characters * characters / PER)


def copy_cost(
    input_tokens: int, output_tokens: int, *, per_1000_input: Decimal, per_1000_output: Decimal
) -> int:
    """µ$ for reading and writing this many tokens."""
    return to_microusd((per_1000_input * input_tokens + per_1000_output * output_tokens) / PER)
