"""Tables that people open in a spreadsheet."""

from __future__ import annotations

_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")


def harmless(cell: str) -> str:
    """The text so that no spreadsheet computes it: an apostrophe before what could begin a formula.

    The signs are those of OWASP, "CSV Injection", their full-width forms included.
    """
    return f"'{cell}" if cell[:1] in _FORMULA else cell
