"""The contract of the brief, held to the code: its models with their fields, and its endpoints.

`contract.json` is what the brief says. Where the code departs from it, docs/differences.md has a row in the table
"Field by field" with the reason; a difference without a row fails, and so does a row without its difference.
"""

from __future__ import annotations

import json
import re
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Field, Model
from rest_framework.test import APIClient

CONTRACT = json.loads(Path(__file__).with_name("contract.json").read_text())
DIFFERENCES = Path(__file__).parents[3] / "docs" / "differences.md"
FIELDS = [
    (model, name, promise)
    for model, promised in CONTRACT["models"].items()
    for name, promise in promised["fields"].items()
]


def test_the_contract_is_whole() -> None:
    assert (len(CONTRACT["models"]), len(FIELDS), len(CONTRACT["endpoints"])) == (15, 132, 65)


# --- models ----------------------------------------------------------------------------------------------


def of_field(field: Field[Any, Any], promise: dict[str, Any]) -> dict[str, Any]:
    """What the code says of each thing that the brief says of this field, in the brief's words."""
    remote: Any = field.remote_field
    default: Any = field.default
    told = {
        "type": type(field).__name__,
        "choices": [value for value, _ in field.flatchoices],
        "default": default.__name__ if callable(default) else default,
        "to": remote and remote.model.__name__,
        "on_delete": remote and remote.on_delete.__name__,
        "related_name": remote and remote.related_name,
    }
    found = {name: told[name] if name in told else getattr(field, name, False) for name in promise}
    if isinstance(found.get("default"), Decimal):
        found["default"] = float(found["default"])
    return found


def of_model(model: type[Model], promised: dict[str, Any]) -> dict[str, Any]:
    """The same of the table as a whole."""
    meta: Any = model._meta
    told = {
        "db_table": meta.db_table,
        "ordering": list(meta.ordering),
        "unique_together": [list(columns) for columns in meta.unique_together],
        "indexes": [list(index.fields) for index in meta.indexes],
    }
    found = {name: told[name] for name in promised if name != "fields"}
    # A last column that makes an order total, or one index more, keeps the promise.
    if "ordering" in found:
        found["ordering"] = found["ordering"][: len(promised["ordering"])]
    if "indexes" in found:
        found["indexes"] = [columns for columns in found["indexes"] if columns in promised["indexes"]]
    if "unique_together" in found:
        found["unique_together"] = found["unique_together"][0]
    return found


def differences() -> set[tuple[str, str]]:
    """(what, in which respect) of everything that is not as the brief has it."""
    found = set()
    for label, promised in CONTRACT["models"].items():
        model = apps.get_model(label)
        there = {field.name: field for field in model._meta.get_fields()}
        pairs = [(label, of_model(model, promised), promised)]
        for name, promise in promised["fields"].items():
            field: Any = there.get(name)
            if field is None:
                found.add((f"{label}.{name}", "missing"))
            else:
                pairs.append((f"{label}.{name}", of_field(field, promise), promise))
        found |= {(what, key) for what, is_, promise in pairs for key in is_ if is_[key] != promise[key]}
    return found


def documented() -> set[tuple[str, str]]:
    """The rows of the table in docs/differences.md: | `model.field` | respect | reason |."""
    table = DIFFERENCES.read_text().partition("## Field by field")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([\w.]+)` \| (\w+) \| (.{15,}) \|$", table, re.MULTILINE)
    return {(what, respect) for what, respect, _ in rows}


def test_each_difference_has_its_reason_and_each_reason_its_difference() -> None:
    assert differences() == documented()


@pytest.mark.django_db
@pytest.mark.parametrize("label", CONTRACT["models"])
def test_each_table_has_the_columns_of_the_brief(label: str) -> None:
    """In the database itself, by their names there."""
    from django.db import connection

    table = CONTRACT["models"][label]["db_table"]
    with connection.cursor() as cursor:
        columns = {column.name for column in connection.introspection.get_table_description(cursor, table)}
    fields = CONTRACT["models"][label]["fields"]
    assert {f"{name}_id" if of["type"] == "ForeignKey" else name for name, of in fields.items()} <= columns


# --- endpoints -------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("endpoint", CONTRACT["endpoints"])
def test_each_endpoint_is_there(endpoint: str) -> None:
    """Nobody is signed in: what is there asks who calls (401), or for a body (400)."""
    method, path = endpoint.split()
    pk = str(uuid.uuid4()) if "play-events" in path else "1"
    answer = APIClient().generic(method, path.replace("{id}", pk))
    assert answer.status_code in {400, 401}, "it leads nowhere"
