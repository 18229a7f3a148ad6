"""The window of time that somebody asks about: `?from=…&to=…`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from common import clock
from common.serializers import invalid

DEFAULT = timedelta(hours=24)


class Window(NamedTuple):
    """[start, end), aware."""

    start: datetime
    end: datetime


def window_of(request: Request, *, now: datetime, longest: timedelta) -> Window:
    """What the query asks for: from `now` on, for 24 h, where it does not say.

    Raises `ValidationError` (400) for what is no instant, ends before it starts, or is longer than `longest`.
    """
    start = _instant(request, "from") or now
    end = _instant(request, "to") or start + min(DEFAULT, longest)
    if end <= start:
        raise invalid("to", "before_start", "The window ends before it starts.")
    if end - start > longest:
        raise invalid("to", "too_long", f"Ask for at most {longest.days} days at a time.")
    return Window(start, end)


def past_window_of(request: Request, *, longest: timedelta) -> Window:
    """What the query asks for, both ends of which it has to say; `longest` are local days, one of which may have an
    hour more. Raises `ValidationError` (400) as `window_of` does.
    """
    for name in ("from", "to"):
        if not request.query_params.get(name):
            raise invalid(name, "required", "Say which time is to be counted.")
    start, end = window_of(request, now=clock.now(), longest=longest + timedelta(hours=1))
    return Window(start, end)


def _instant(request: Request, name: str) -> datetime | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        instant: datetime = serializers.DateTimeField().run_validation(text)
    except serializers.ValidationError as error:
        raise serializers.ValidationError({name: error.detail}) from None
    return instant


def window_parameters(longest: str) -> list[OpenApiParameter]:
    """`from` and `to` for the OpenAPI schema."""
    return [
        OpenApiParameter("from", OpenApiTypes.DATETIME, description="From this instant on; else from now."),
        OpenApiParameter("to", OpenApiTypes.DATETIME, description=f"Before this instant; {longest} at most."),
    ]
