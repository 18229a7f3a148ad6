"""What the API's own renderer writes is what REST framework's writes."""

from __future__ import annotations

import json
from collections import OrderedDict
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from rest_framework import renderers
from rest_framework.exceptions import ErrorDetail
from rest_framework.utils.serializer_helpers import ReturnDict, ReturnList

from common.rendering import JSONRenderer
from events.models import PlayEvent

AT = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
SAME = {
    "instant": AT,
    "instant with µs": AT.replace(microsecond=5),
    "instant with ms": AT.replace(microsecond=500_000),
    "instant elsewhere": AT.astimezone(timezone(timedelta(hours=-3, minutes=-30))),
    "day": date(2026, 7, 1),
    "wall clock": time(8, 30, 0, 500_000),
    "uuid": UUID(int=5),
    "money": Decimal("49.99"),
    "large": [2**53, -(2**63), 2**70],
    "floats": [0.0, -15.0, 0.1, 1e-3, 123456.789],
    "texts": ["", "é ü 音 🎵", 'a"b\\c/<>&', "\x00\x1f\x7f\n\t"],
    "lazy": gettext_lazy("Yes"),
    "detail": ErrorDetail("That is too long.", code="max_length"),
    "safe": SafeString("<b>"),
    "choice": PlayEvent.Status.PENDING,
    "keys": {1: "a", PlayEvent.Status.FAILED: "b", ErrorDetail("c"): "d"},
    "kinds": [True, False, None, (1, 2), OrderedDict(b=1, a=2)],
    "serialized": ReturnDict({"rows": ReturnList([{"a": 1}], serializer=None)}, serializer=None),
    "generated": (number for number in ()),
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_bytes(name: str) -> None:
    assert JSONRenderer().render(SAME[name]) == renderers.JSONRenderer().render(SAME[name])


@pytest.mark.parametrize("value", [1e16, 1.5e-7, "a\u2028b", Decimal("1.50")])
def test_the_same_value(value: object) -> None:
    assert json.loads(JSONRenderer().render(value)) == json.loads(renderers.JSONRenderer().render(value))


def test_nothing_and_indents_are_as_they_were() -> None:
    assert JSONRenderer().render(None) == b""
    assert JSONRenderer().render({"a": [AT]}, "application/json; indent=2") == (
        b'{\n  "a": [\n    "2026-07-01T12:30:00Z"\n  ]\n}'
    )


def test_what_has_no_json_is_an_error() -> None:
    with pytest.raises(TypeError):
        JSONRenderer().render({"a": object()})
