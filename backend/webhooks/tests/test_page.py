"""docs/webhooks.md says what is: its events are the catalogue's, and its samples believe us and nobody else."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from jsonschema import Draft202012Validator

from common import clock
from testing.description import described
from webhooks.domain import catalogue, signing
from webhooks.domain.catalogue import ALL_TYPES
from webhooks.openapi import body_schema

DOCS = Path(settings.PROJECT_ROOT) / "docs"
PAGE = (DOCS / "webhooks.md").read_text()
BODY = '{"type":"device.online","data":{"name":"Käse"}}'.encode()


def events_section() -> str:
    """What stands on the page of each type."""
    return "\n".join(
        f"### `{name}`\n\n{kind.summary}. {kind.description}\n\n"
        f"```json\n{json.dumps(kind.example, indent=2, ensure_ascii=False)}\n```\n"
        for name, kind in ALL_TYPES.items()
    )


def test_the_page_has_every_event() -> None:
    told = re.search(r"<!-- events: .+? -->\n\n(.+?)\n<!-- end of events -->", PAGE, re.DOTALL)
    assert told is not None
    assert told[1] == events_section()


def sample(language: str) -> str:
    found = re.search(rf"```{language}\n(.+?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def verified_in_python(secret: str, headers: dict[str, str], body: bytes) -> bool:
    names: dict[str, Any] = {}
    exec(sample("python"), names)  # noqa: S102  # the page's own code, which is what is tested
    try:
        return bool(names["verified"](secret, headers, body) == json.loads(body))
    except ValueError:
        return False


def verified_in_javascript(secret: str, headers: dict[str, str], body: bytes) -> bool:
    code = sample("javascript") + (
        f"\nverified({json.dumps(secret)}, {json.dumps(headers)}, Buffer.from({json.dumps(body.decode())}));\n"
    )
    node = shutil.which("node")
    assert node is not None
    command = [node, "--input-type=module", "-e", code]
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0


SAMPLES = [verified_in_python, *([verified_in_javascript] if shutil.which("node") else [])]
"""JavaScript is tried where there is something to run it."""


@pytest.mark.parametrize("believes", SAMPLES)
def test_the_sample_believes_us_and_nobody_else(believes: Any) -> None:
    ours, old, foreign = (signing.fresh_secret() for _ in range(3))
    now = clock.now()

    def headers(*secrets: str, at: Any = now) -> dict[str, str]:
        return signing.headers(secrets, message_id="msg_1", at=at, body=BODY)

    assert believes(ours, headers(ours), BODY)
    assert believes(old, headers(ours, old), BODY)
    assert not believes(ours, headers(foreign), BODY)
    assert not believes(ours, headers(ours), BODY + b" ")
    assert not believes(ours, headers(ours) | {"webhook-id": "msg_2"}, BODY)
    assert not believes(ours, headers(ours, at=now - timedelta(minutes=6)), BODY)
    assert not believes(ours, headers(ours, at=now + timedelta(minutes=6)), BODY)


@pytest.mark.parametrize("name", ALL_TYPES)
def test_the_api_s_description_has_every_event(name: str) -> None:
    content = described()["webhooks"][name]["post"]["requestBody"]["content"]["application/json"]
    assert content["schema"] == body_schema(name, ALL_TYPES[name])
    Draft202012Validator(content["schema"]).validate(content["example"])
    text = catalogue.body_of(name, ALL_TYPES[name].example, at=clock.now())
    Draft202012Validator(content["schema"]).validate(json.loads(text))
