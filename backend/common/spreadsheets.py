"""Tables that people open in a spreadsheet."""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def harmless(cell: str) -> str:
    """The text so that no spreadsheet computes it: an apostrophe before what could begin a formula.

    The signs are those of OWASP, "CSV Injection", their full-width forms included.
    """
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
