"""The documents of the dashboards' socket agree with the code: every example decodes, nothing has drifted."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import jsonschema
import msgspec
import pytest
from django.apps import apps
from django.core.management import call_command

from live import hub, journal, protocol
from live.asyncapi import document
from live.protocol import CloseCode
from live.signals import HEARD

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "dashboard-socket.md").read_text()
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
MESSAGES = {each.__struct_config__.tag: each for each in (protocol.Hello, *get_args(protocol.Outbound))}


def test_every_message_has_an_example() -> None:
    assert {example["type"] for example in EXAMPLES} == set(MESSAGES)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["type"])
def test_an_example_is_what_the_code_writes_and_the_description_says(example: dict[str, Any]) -> None:
    decoded = msgspec.convert(example, MESSAGES[example["type"]])
    assert msgspec.to_builtins(decoded) == example, "every field of the message, and no other"
    described = document()
    payload = described["components"]["messages"][example["type"]]["payload"]
    jsonschema.validate(example, {**payload, "components": described["components"]})


def test_the_stored_description_has_not_drifted(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("asyncapi_dashboard")
    assert (DOCS / "asyncapi-dashboard.json").read_text() == capsys.readouterr().out, "run: make docs"


def test_codes_topics_and_numbers_of_the_page_are_those_of_the_code() -> None:
    codes = {value for name, value in vars(CloseCode).items() if name.isupper()}
    assert {int(code) for code in re.findall(r"^\| (\d{4}) \|", PAGE, re.MULTILINE)} == codes
    topics = re.findall(r"`(\w+)`", PAGE.rpartition("The topics:")[2])
    assert tuple(topics) == get_args(protocol.Topic)
    assert {topic for topic, _ in HEARD.values()} | {"plays"} == set(topics)
    assert f"every {hub.CHECKED_EVERY_S:.0f} seconds" in PAGE
    assert f"lets {hub.MOST_QUEUED} frames" in PAGE
    assert f"{hub.MOST_OF_ONE} dashboards of one person" in PAGE
    assert (hub.GATHERED_S, hub.WRITE_DEADLINE_S, protocol.BEAT_S) == (0.5, 10, 20)
    assert (journal.KEPT_US, journal.SLACK_US) == (600_000_000, 10_000_000)


@pytest.mark.parametrize("model", HEARD)
def test_what_is_listened_to_is_there(model: str) -> None:
    assert apps.get_model(model)._meta.label == model
