"""Dashboard, alert rules and their page speak of figures that are there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command

from common.metrics import DECLARED, PREFIX
from core import figures
from core.management.commands.observability_doc import FOLDER, alerts
from events.alerts import ALARMING

DASHBOARD = json.loads((FOLDER / "grafana-dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}
TOLD = {
    each.name + suffix: {*each.labels, "le"} if suffix == "_bucket" else set(each.labels)
    for each in (*DECLARED, *figures.described())
    for suffix in SUFFIXES[each.kind]
}
"""Every series that `/metrics` may have, and its labels."""


def expressions() -> Iterator[tuple[str, str]]:
    """Where a query stands, and the query."""
    for panel in PANELS:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for rule in alerts():
        yield rule["alert"], rule["expr"]


def series(query: str) -> Iterator[tuple[str, set[str]]]:
    """The series that a query names, with the labels by which it chooses."""
    for name, chosen in re.findall(rf"({PREFIX}\w+)(?:\{{([^}}]*)\}})?", query):
        yield name, set(re.findall(r'(\w+)\s*[=!]~?\s*"', chosen or ""))


@pytest.mark.parametrize(("where", "query"), list(expressions()))
def test_every_figure_asked_for_is_told(where: str, query: str) -> None:
    named = list(series(query))
    assert named or query == 'up{job="sync2gear"} == 0'
    for name, labels in named:
        assert name in TOLD, f"{where} asks for {name}"
        assert labels <= TOLD[name], f"{where} chooses {name} by {labels - TOLD[name]}"
    for names in re.findall(r"\bby \(([^)]+)\)", query):
        known = set.union(*(TOLD[name] for name, _ in named))
        assert set(re.split(r",\s*", names)) <= known, where


def test_every_figure_told_is_looked_at() -> None:
    asked = {name for _, query in expressions() for name, _ in series(query)}
    families = {each.name: SUFFIXES[each.kind] for each in (*DECLARED, *figures.described())}
    unseen = [
        name for name, suffixes in families.items() if not any(name + suffix in asked for suffix in suffixes)
    ]
    assert not unseen


def test_what_alarms_businesses_alarms_us() -> None:
    for where, query in expressions():
        for reasons in re.findall(r'reason=~"([^"]+)"', query):
            assert set(reasons.split("|")) == ALARMING, where


def test_alerts_say_what_is_the_matter_and_what_to_do() -> None:
    rules = alerts()
    assert len({rule["alert"] for rule in rules}) == len(rules) > 20
    for rule in rules:
        assert rule["labels"]["severity"] in {"critical", "warning"}, rule["alert"]
        assert rule["annotations"].keys() == {"summary", "mend"}, rule["alert"]
    tested = yaml.safe_load((FOLDER / "rules.test.yml").read_text())["tests"]
    fired = {
        case["alertname"] for test in tested for case in test["alert_rule_test"] if case.get("exp_alerts")
    }
    assert fired <= {rule["alert"] for rule in rules}


def test_panels_stand_side_by_side_and_say_what_they_show() -> None:
    panels: list[dict[str, Any]] = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
    for one, other in combinations([panel["gridPos"] for panel in panels], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below
    (variable,) = DASHBOARD["templating"]["list"]
    assert all(panel["datasource"]["uid"] == f"${{{variable['name']}}}" for panel in PANELS)


def test_the_scrape_example_asks_where_it_is_told() -> None:
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    assert (job["job_name"], job["metrics_path"]) == ("sync2gear", "/metrics")
    assert all((FOLDER / name).exists() for name in config["rule_files"])


def test_the_page_has_not_drifted(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("observability_doc")
    found = (settings.PROJECT_ROOT / "docs" / "observability.md").read_text()
    assert capsys.readouterr().out == found, "run: make docs"
