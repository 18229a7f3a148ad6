"""The refusals of an operation come from the table of codes."""

from __future__ import annotations

import pytest

from common.errors import CODES, CONTENT_TYPE
from common.openapi import LOCKED, problems, reading, writing


def test_codes_are_gathered_by_status() -> None:
    found = problems("floor_limit", "permission_denied", "not_found", "floor_limit")
    assert [status for status, _ in found] == [403, 404]
    assert {media for _, media in found} == {CONTENT_TYPE}
    described = str(found[403, CONTENT_TYPE].description)
    assert described.count("`floor_limit`") == 1
    assert CODES["permission_denied"].title in described


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(KeyError):
        problems("no_such_code")


def test_only_writes_are_refused_to_a_locked_business() -> None:
    locked = {CODES[code].status for code in LOCKED}
    text = "".join(str(answer.description) for answer in reading().values())
    assert not any(f"`{code}`" in text for code in LOCKED)
    assert locked <= {status for status, _ in writing()}
