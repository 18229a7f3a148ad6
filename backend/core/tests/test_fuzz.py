"""The whole API against requests that nobody thought of, as each kind of caller.

Every test run draws one case for each operation and caller, the same each time. `make fuzz` draws more, from a fresh
seed, and goes through Schemathesis' table of boundary values, missing parts and wrong methods: over 30,000 cases.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import CharField, F, TextField, Value
from django.db.models.functions import Concat
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import RefreshToken

from common.openapi import ScopedSchemaGenerator
from common.tenancy import EVERYTHING, scope_of_client, system_scope
from conftest import Business
from core.tests import fuzzing
from core.tests.test_permissions import OURS, is_scoped
from core.tests.things import things_of
from devices.services import rotate_token

pytestmark = pytest.mark.django_db(transaction=True)

SEED = 20260
MARKER = "Zzqx7Foreign"
"""Stands in every text of the other tenant, and nowhere else."""

TEXTS = {
    "name", "business_name", "title", "text", "description", "username", "email", "first_name", "last_name",
    "device_id", "device_name", "floor_name", "announcement_title",
}  # fmt: skip
APPEND_ONLY = {"audit"}
"""Apps whose rows nobody changes; they hold names that are marked already."""

CALLERS = ("super admin", "client admin", "floor user", "speaker", "anonymous")
SEES_ALL = "super admin"


def mark(business: Business) -> None:
    """Puts the marker before every text of this business."""
    with scope_of_client(business.client.pk):
        for model in OURS:
            if not is_scoped(model) or model._meta.app_label in APPEND_ONLY:
                continue
            texts = [
                field.name
                for field in model._meta.fields
                if field.name in TEXTS and isinstance(field, CharField | TextField)
            ]
            if texts:
                rows: Any = model
                rows.objects.update(**{name: Concat(Value(MARKER), F(name)) for name in texts})


@pytest.fixture
def fuzz(shop: Business, other_shop: Business, staff: Any) -> Callable[..., fuzzing.Found]:
    """`fuzz(caller, …)` sends requests as that caller, with another tenant beside them."""
    refresh = str(RefreshToken.for_user(shop.admin))
    own, foreign = (things_of(business, 0, "nobody", refresh).values for business in (shop, other_shop))
    with system_scope("test data"):
        device_token = rotate_token(device=shop.devices[0])
    mark(other_shop)
    people = {"super admin": staff, "client admin": shop.admin, "floor user": shop.floor_user}
    tokens = {name: str(RefreshToken.for_user(person).access_token) for name, person in people.items()}
    tokens |= {"speaker": device_token, "anonymous": ""}

    def run(caller: str, **how: Any) -> fuzzing.Found:
        marker = "" if caller == SEES_ALL else MARKER
        return fuzzing.fuzz(token=tokens[caller], own=own, foreign=foreign, marker=marker, **how)

    return run


@pytest.mark.parametrize("caller", CALLERS)
def test_no_request_breaks_the_api_s_word(
    caller: str,
    fuzz: Callable[..., fuzzing.Found],
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    more: int = request.config.getoption("--fuzz")
    seed = secrets.randbelow(2**32) if more else SEED
    found = fuzz(caller, examples=more or 1, coverage=more > 0, seed=seed)
    record_property(
        "told", f"{caller}: {found.cases} cases, seed {seed}, {dict(sorted(found.statuses.items()))}"
    )
    assert not found.failures, f"seed {seed}\n{found.report()}"
    operations = sum(len(path) for path in ScopedSchemaGenerator().get_schema(public=True)["paths"].values())
    assert found.cases >= operations, "an operation was left out"
    assert sum(found.statuses[good] for good in (200, 201, 202, 204)) > 0, "nothing was ever allowed"


def test_a_foreign_row_would_be_found(
    fuzz: Callable[..., fuzzing.Found], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.api.scope_of", lambda user: EVERYTHING)
    found = fuzz("client admin", examples=10, coverage=False, seed=SEED, operations=["floors_list"])
    assert ("GET /api/floors/", "a row of another tenant") in found.failures


def test_a_server_error_would_be_found(
    fuzz: Callable[..., fuzzing.Found], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr("zones.views.with_device_counts", broken)
    found = fuzz("client admin", examples=1, coverage=False, seed=SEED, operations=["floors_list"])
    assert ("GET /api/floors/", "Server error") in found.failures
    assert "ZeroDivisionError" in found.report()


def test_every_undocumented_method_is_refused(client: APIClient) -> None:
    for path, item in ScopedSchemaGenerator().get_schema(public=True)["paths"].items():
        place = re.sub(r"\{\w+\}", "1", path)
        for method in {"get", "post", "put", "patch", "delete", "trace"} - item.keys():
            answer = client.generic(method.upper(), place)
            assert answer.status_code == 405, (method, path)
            offered = {name.strip().lower() for name in answer["Allow"].split(",")}
            assert offered - {"head", "options"} == item.keys(), path
