"""docs/brief.md says of every item of the brief where it is met: what it names is there, and nothing is left out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from rest_framework.test import APIClient

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "brief.md").read_text()
QUOTED = re.findall(r"`([^`\n]+)`", PAGE)
CONTRACT = json.loads(Path(__file__).with_name("contract.json").read_text())
PATHS = sorted({text for text in QUOTED if re.match(r"(backend|docs|bench|player|journeys)(/|$)", text)})
ROUTES = sorted({text for text in QUOTED if re.match(r"[A-Z]+ /", text)})


def rows(title: str) -> list[str]:
    """The rows of a section's table, without its head."""
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| .+\|$", section, re.MULTILINE)[1:]


@pytest.mark.parametrize("path", PATHS)
def test_every_path_exists(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("route", ROUTES)
def test_every_route_leads_somewhere(route: str) -> None:
    method, path = route.split()
    pk = "00000000-0000-4000-8000-000000000000" if "play-events" in path else "1"
    assert APIClient().generic(method, path.replace("{id}", pk)).status_code not in {404, 405}


def test_every_endpoint_has_its_row() -> None:
    told = [re.match(r"\| `([^`]+)` \|", row) for row in rows("Endpoints")]
    assert [match[1] for match in told if match] == CONTRACT["endpoints"]


def test_every_model_has_its_row() -> None:
    told = [tuple(re.findall(r"^\| (\w+) \| `(\w+)` \|", row)[0]) for row in rows("Models")]
    tables = [
        (label.partition(".")[2], promised["db_table"]) for label, promised in CONTRACT["models"].items()
    ]
    assert told == tables


@pytest.mark.parametrize(("title", "number"), [("The checklist", 12), ("The final notes", 10)])
def test_every_point_is_answered(title: str, number: int) -> None:
    answered = [re.match(r"\| (\d+) \| .+ \| .+ \|", row) for row in rows(title)]
    assert [int(match[1]) for match in answered if match] == list(range(1, number + 1))
