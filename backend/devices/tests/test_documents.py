"""The documents of the protocol agree with the code: every example decodes, every word is told, nothing has drifted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import jsonschema
import msgspec
import pytest
from django.core.management import call_command

from devices import asyncapi, protocol
from devices.plan import Plan
from devices.protocol import CloseCode
from events.domain import ledger
from sync2gear_player import messages as player_messages
from sync2gear_player import plan as player_plan
from sync2gear_player.documents import build

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "device-protocol.md").read_text()
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
MESSAGES = [example for example in EXAMPLES if "type" in example]
[PLAN] = [example for example in EXAMPLES if "type" not in example]

INBOUND = {str(each.__struct_config__.tag) for each in get_args(protocol.Inbound)}
OUTBOUND = {str(each.__struct_config__.tag) for each in get_args(protocol.Outbound)}
decode_outbound = msgspec.json.Decoder(protocol.Outbound).decode


def test_every_message_has_an_example() -> None:
    assert {example["type"] for example in MESSAGES} == INBOUND | OUTBOUND


@pytest.mark.parametrize("example", MESSAGES, ids=lambda example: example["type"])
def test_an_example_is_what_the_server_reads_or_writes(example: dict[str, Any]) -> None:
    decode = protocol.decode_inbound if example["type"] in INBOUND else decode_outbound
    decoded = decode(json.dumps(example))
    written = msgspec.to_builtins(decoded)
    assert {name: written[name] for name in example} | {"clock": None} == example | {"clock": None}, (
        "every field of the example is known"
    )


@pytest.mark.parametrize(
    "example", [each for each in MESSAGES if each["type"] in OUTBOUND], ids=lambda example: example["type"]
)
def test_the_reference_speaker_reads_what_the_server_writes(example: dict[str, Any]) -> None:
    read = player_messages.decode(protocol.encode(decode_outbound(json.dumps(example))))
    assert not isinstance(read, player_messages.Junk), read


def test_the_plan_is_read_by_both() -> None:
    plan = msgspec.convert(PLAN, Plan)
    assert {name for name in PLAN} == set(Plan.__struct_fields__)
    assert build(player_plan.Plan, json.loads(msgspec.json.encode(plan))).device_id == plan.device_id


# --- AsyncAPI --------------------------------------------------------------------------------------------


def stored() -> Any:
    """The document in the repository."""
    return json.loads((DOCS / "asyncapi.json").read_text())


def test_the_stored_description_has_not_drifted(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("asyncapi")
    assert (DOCS / "asyncapi.json").read_text() == capsys.readouterr().out, (
        "run: manage.py asyncapi > docs/asyncapi.json"
    )


def references(node: Any) -> Iterator[str]:
    """Every `$ref` below a node."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for inner in node.values():
            yield from references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from references(inner)


def followed(document: Any, reference: str) -> Any:
    """What a local reference points at."""
    node = document
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]
    return node


def test_every_reference_leads_somewhere() -> None:
    document = stored()
    for reference in references(document):
        assert followed(document, reference)


@pytest.mark.parametrize("example", MESSAGES, ids=lambda example: example["type"])
def test_an_example_fits_its_schema(example: dict[str, Any]) -> None:
    document = stored()
    payload = document["components"]["messages"][example["type"]]["payload"]
    jsonschema.validate(example, {**payload, "components": document["components"]})
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(example | {"type": "other"}, {**payload, "components": document["components"]})


def test_each_direction_has_its_messages() -> None:
    document = asyncapi.document()
    sent = {
        name: {reference.rpartition("/")[2] for reference in references(operation["messages"])}
        for name, operation in document["operations"].items()
    }
    assert sent == {"fromDevice": INBOUND, "toDevice": OUTBOUND}
    assert document["channels"]["device"]["messages"].keys() == INBOUND | OUTBOUND


# --- the page's tables -----------------------------------------------------------------------------------


def table(first_column: str) -> list[list[str]]:
    """The cells of the page's table whose first heading is this."""
    _, _, rest = PAGE.partition(f"| {first_column} |")
    rows = rest.splitlines()[2:]
    cells = []
    for row in rows:
        if not row.startswith("|"):
            break
        cells.append([cell.strip() for cell in row.strip("|").split("|")])
    return cells


def test_every_close_code_is_told() -> None:
    codes = {value for name, value in vars(CloseCode).items() if name.isupper()}
    assert {int(row[0]) for row in table("code")} == codes


def test_every_outcome_is_told_with_what_comes_of_it() -> None:
    told = {
        row[0].strip("`"): (row[1], (re.findall(r"`(\w+)`", row[2]) or [""])[0]) for row in table("outcome")
    }
    assert told == ledger.OUTCOMES


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    limits = f"{protocol.MAX_MESSAGE_BYTES // 1024} KiB a message; {protocol.MESSAGES_PER_SECOND} messages a second"
    assert f"{limits}, bursts of {protocol.MESSAGE_BURST}" in PAGE
    assert f"Every {protocol.HEARTBEAT_S} s and on change" in PAGE
    assert f"younger than {protocol.LEASE_S} s" in PAGE
    assert f"within {protocol.HELLO_TIMEOUT_S} s" in PAGE
    assert f"`{protocol.SUBPROTOCOL}`" in PAGE
    for action in get_args(protocol.Action):
        assert f"`{action}`" in PAGE
    for state in (*get_args(protocol.AckState), *get_args(protocol.ClockState)):
        assert f"`{state}`" in PAGE
