"""The description of the API: committed as it is, complete for every operation, and readable offline."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from drf_spectacular.validation import validate_schema

from common.openapi import ScopedSchemaGenerator
from core import api_description
from devices import asyncapi
from testing.description import PAGE, described

DOCUMENT: Any = described()
METHODS = ("get", "post", "put", "patch", "delete")


def operations() -> list[Any]:
    """The operations of the committed document, as parameters of a test."""
    return [
        pytest.param(item[method], id=f"{method.upper()} {path}")
        for path, item in DOCUMENT["paths"].items()
        for method in METHODS
        if method in item
    ]


def test_the_committed_description_has_not_drifted(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("openapi")
    assert capsys.readouterr().out == PAGE.read_text(), "run: make docs"


def test_it_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    validate_schema(ScopedSchemaGenerator().get_schema(public=True))


@pytest.mark.parametrize("operation", operations())
def test_every_operation_is_described(operation: dict[str, Any]) -> None:
    assert operation["summary"].strip()
    assert "**Who may call:**" in operation["description"]
    assert len(operation["tags"]) == 1
    codes = set(operation["responses"])
    assert any(code.startswith("2") for code in codes)
    assert any(code.startswith("4") for code in codes)
    if {"bearer": []} in operation.get("security", []):
        assert {"401", "403"} <= codes


@pytest.mark.parametrize("operation", operations())
def test_every_refusal_is_a_problem_and_names_its_codes(operation: dict[str, Any]) -> None:
    for status, answer in operation["responses"].items():
        if status >= "400":
            assert answer["content"] == {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            }
            assert re.search(r"`[a-z_]+`: ", answer["description"]), status


def test_every_group_is_described_and_stands_in_one_place() -> None:
    told = [tag["name"] for tag in DOCUMENT["tags"]]
    used = {operation.values[0]["tags"][0] for operation in operations()}
    assert used <= set(told), "describe it in core/api_description.py"
    assert sorted(name for group in api_description.TAG_GROUPS for name in group["tags"]) == sorted(told)


def test_the_ways_to_sign_in_are_described() -> None:
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert {name: scheme["scheme"] for name, scheme in schemes.items()} == {
        "bearer": "bearer",
        "deviceToken": "bearer",
    }
    assert all(scheme["description"] for scheme in schemes.values())


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/docs/", "/api/redoc/"])
def test_the_pages_take_nothing_from_another_host(client: Client, path: str, settings: Any) -> None:
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    answer = client.get(path)
    page = answer.content.decode()
    taken = re.findall(r"(?:src|href|spec-url)\s*=\s*[\"']([^\"']+)", page)
    assert taken
    assert all(re.match(r"/(?!/)|data:,$", target) for target in taken), taken
    assert "://" not in page.replace("http://www.w3.org", "")
    assert "script-src 'self';" in answer["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)", page), "nothing inline"


@pytest.mark.django_db
def test_the_schema_and_the_socket_s_description_are_served(client: Client) -> None:
    served = client.get("/api/schema/", headers={"accept": "application/vnd.oai.openapi+json"}).json()
    assert served["paths"].keys() == DOCUMENT["paths"].keys()
    assert client.get("/api/asyncapi/").json() == asyncapi.document()
    assert "/api/asyncapi/" in served["info"]["description"]
