"""Signed, expiring links to what is stored, for devices, `<audio>` and `<img>` elements, which send no access token.

A link names kind, row and content: `/media/music/7/<sha256>?e=<unix seconds>&s=<HMAC-SHA-256>`. It is the same
all through an hour, so that plans and caches hold, and lives 24 to 25 hours.
An app says what it serves with `serve("music", find)`; `find(pk, sha256)` runs in the system's scope.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.signing import BadSignature, Signer
from django.http.response import HttpResponseBase
from django.urls import get_script_prefix, path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from common import clock
from common.api import GuardedAPIView
from common.errors import Refusal
from common.openapi import problems
from common.permissions import IsAnybody
from common.streaming import (
    STREAM_HEADERS,
    STREAM_PROBLEMS,
    STREAM_RESPONSES,
    AnyAccept,
    Sound,
    sound_response,
)
from common.tenancy import system_scope

PLACE = "media/{}/{}/{}"
"""Kind, row and SHA-256; a plan has hundreds, and Django's `reverse` takes longer than the signature."""
LIFE = timedelta(hours=25)
"""From the beginning of the hour in which the link is made."""

CACHE_CONTROL = "private, max-age=86400, immutable"
"""Of what a link serves: the address names the content, so it can never change."""

Find = Callable[[int, str], Sound | None]

_kinds: dict[str, Find] = {}


def _signer() -> Signer:
    return Signer(salt="sync2gear.media")


def serve(kind: str, find: Find) -> None:
    """Makes links of `kind` work; called once, when the app that owns the files is ready."""
    _kinds[kind] = find


def find_sound(kind: str, pk: int, sha256: str) -> Sound | None:
    """What a genuine link serves; None when it was removed or replaced."""
    with system_scope("a signed link names its one row; whoever holds it may have it"):
        return _kinds[kind](pk, sha256) if kind in _kinds else None


def media_url(kind: str, pk: int, sha256: str, *, now: datetime) -> tuple[str, datetime]:
    """The link to this content of row `pk`, relative to the server's root, and when it expires."""
    expires_at = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + LIFE
    named = f"{get_script_prefix()}{PLACE.format(kind, pk, sha256)}?e={int(expires_at.timestamp())}"
    return f"{named}&s={_signer().signature(named)}", expires_at


def genuine(place: str, expiry: str, signature: str, *, now: datetime) -> bool:
    """Whether this path was signed by us to live until `expiry` (unix seconds), and still does at `now`."""
    try:
        _signer().unsign(f"{place}?e={expiry}:{signature}")
    except BadSignature:
        return False
    return now < datetime.fromtimestamp(int(expiry), tz=UTC)


class MediaView(GuardedAPIView):
    """GET and HEAD of a signed link. The signature is the permission; there is no sign-in."""

    authentication_classes = ()
    content_negotiation_class = AnyAccept
    access = {"get": IsAnybody, "head": IsAnybody}

    @extend_schema(
        operation_id="media_retrieve",
        tags=["media"],
        summary="A sound or a picture by a signed link",
        description=(
            "Devices find links to sounds in their plan, people to pictures in the `avatar` of an account. Nobody can"
            " make one but the server."
        ),
        parameters=[
            OpenApiParameter("e", int, required=True, description="When the link expires, in Unix seconds."),
            OpenApiParameter("s", str, required=True, description="The signature."),
            *STREAM_HEADERS,
        ],
        responses=STREAM_RESPONSES
        | {(200, "image/webp"): OpenApiTypes.BINARY}
        | problems("bad_signature", *STREAM_PROBLEMS),
    )
    def get(self, request: Request, kind: str, pk: int, sha256: str, **kwargs: Any) -> HttpResponseBase:
        """Serves what the link names, with ranges and conditions."""
        given = request.query_params
        if not genuine(request.path, given.get("e", ""), given.get("s", ""), now=clock.now()):
            raise Refusal("bad_signature", "Fetch the plan or the record again for a fresh link.")
        sound = find_sound(kind, pk, sha256)
        if sound is None:
            raise Refusal("not_found", "This was removed or replaced.")
        return sound_response(request, sound, cache_control=CACHE_CONTROL)


urlpatterns = [
    path(PLACE.format("<slug:kind>", "<int:pk>", "<slug:sha256>"), MediaView.as_view(), name="media")
]
