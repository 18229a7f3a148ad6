"""docs/security.md is whole and leads somewhere: every requirement of ASVS 5.0, levels 1 and 2, is in it once."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "security.md").read_text()
STATES = {"met", "partly", "not", "n/a", "operator"}

LEVELS_1_AND_2 = """
1.1.1–1.1.2 1.2.1–1.2.9 1.3.1–1.3.11 1.4.1–1.4.3 1.5.1–1.5.2 2.1.1–2.1.3 2.2.1–2.2.3 2.3.1–2.3.4 2.4.1
3.2.1–3.2.2 3.3.1–3.3.4 3.4.1–3.4.6 3.5.1–3.5.5 3.7.1–3.7.2 4.1.1–4.1.3 4.2.1 4.3.1–4.3.2 4.4.1–4.4.4
5.1.1 5.2.1–5.2.3 5.3.1–5.3.2 5.4.1–5.4.3 6.1.1–6.1.3 6.2.1–6.2.12 6.3.1–6.3.4 6.4.1–6.4.4 6.5.1–6.5.5
6.6.1–6.6.3 6.8.1–6.8.4 7.1.1–7.1.3 7.2.1–7.2.4 7.3.1–7.3.2 7.4.1–7.4.5 7.5.1–7.5.2 7.6.1–7.6.2
8.1.1–8.1.2 8.2.1–8.2.3 8.3.1 8.4.1 9.1.1–9.1.3 9.2.1–9.2.4 10.1.1–10.1.2 10.2.1–10.2.2 10.3.1–10.3.4
10.4.1–10.4.11 10.5.1–10.5.5 10.6.1–10.6.2 10.7.1–10.7.3 11.1.1–11.1.2 11.2.1–11.2.3 11.3.1–11.3.3
11.4.1–11.4.4 11.5.1 11.6.1 12.1.1–12.1.3 12.2.1–12.2.2 12.3.1–12.3.4 13.1.1 13.2.1–13.2.5 13.3.1–13.3.2
13.4.1–13.4.5 14.1.1–14.1.2 14.2.1–14.2.4 14.3.1–14.3.3 15.1.1–15.1.3 15.2.1–15.2.3 15.3.1–15.3.7 16.1.1
16.2.1–16.2.5 16.3.1–16.3.4 16.4.1–16.4.3 16.5.1–16.5.3 17.1.1 17.2.1–17.2.4 17.3.1–17.3.2
"""
"""The requirements by section (https://github.com/OWASP/ASVS, tag v5.0.0); a range stands for all between its ends."""


def requirements(text: str) -> list[str]:
    """`1.2.3–1.2.5` as `1.2.3`, `1.2.4`, `1.2.5`."""
    found = []
    for section, first, last in re.findall(r"(\d+\.\d+)\.(\d+)(?:–\d+\.\d+\.(\d+))?", text):
        found += [f"{section}.{number}" for number in range(int(first), int(last or first) + 1)]
    return found


ROWS = [
    [cell.strip() for cell in row.strip("|\n").split(" | ")]
    for row in re.findall(r"^\| \d+\.\d+\.\d+.*$", PAGE, re.MULTILINE)
]


def test_every_requirement_stands_there_once() -> None:
    told = Counter(number for row in ROWS for number in requirements(row[0]))
    assert [number for number, times in told.items() if times > 1] == []
    wanted = requirements(LEVELS_1_AND_2)
    assert len(wanted) == 253
    assert set(wanted) - told.keys() == set(), "missing"
    assert told.keys() - set(wanted) == set(), "not of levels 1 and 2"


def test_every_row_says_how_it_stands_and_why() -> None:
    for row in ROWS:
        assert len(row) == 4, row
        assert row[2] in STATES, row
        assert row[1], row
        assert row[3], row


def test_every_file_that_is_named_is_there() -> None:
    named = {path for path in re.findall(r"`([\w./-]+\.\w+)`", PAGE) if "/" in path}
    assert len(named) > 80
    assert {path for path in named if not (ROOT / path).exists()} == set()
