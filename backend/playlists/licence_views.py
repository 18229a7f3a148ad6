"""`GET /api/music/licence-log/`: what was played, for whoever must pay for it."""

from __future__ import annotations

import re
import tempfile
from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from audit.services import record
from clients.models import Client
from common.api import GuardedAPIView
from common.openapi import reading
from common.permissions import IsClientAdmin
from common.serializers import TenantRelatedField, invalid
from common.streaming import AnyAccept, FileSpanResponse, Span
from common.tenancy import current_scope
from playlists import licence

KEPT_IN_MEMORY = 4 * 1024 * 1024
_MONTH = re.compile(r"\A20[0-9]{2}-(0[1-9]|1[0-2])\Z")


class LicenceLogQuery(serializers.Serializer[Any]):
    """Which month of which business."""

    month = serializers.RegexField(_MONTH, help_text="`2026-07`, on the business's own clock.")
    format = serializers.ChoiceField(choices=["csv"], default="csv")
    client: Any = TenantRelatedField(
        queryset=Client._base_manager,
        required=False,
        help_text="The business; sync2gear's staff must name it.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The caller's own business, unless staff name one."""
        if "client" not in attrs:
            own = current_scope().client_id
            if own is None:
                raise invalid("client", "required", "Name the client that you act for.")
            attrs["client"] = Client.objects.get(pk=own)
        return attrs


class LicenceLogView(GuardedAPIView):
    """The licence log of a month."""

    access = {"get": IsClientAdmin}
    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="music_licence_log",
        tags=["music"],
        summary="What music played, as CSV",
        description=(
            "One line for each track that sounded on one speaker without a break, by the speaker's own reports:"
            " floor, device, title, artist, album, ISRC, when it started on the business's clock, and for how many"
            " seconds it was heard. What a speaker played while it was offline comes in when it is back."
        ),
        parameters=[LicenceLogQuery],
        responses={
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="RFC 4180, UTF-8."),
            **reading("validation_failed"),
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        """The file; it is written whole before the first byte, so that an error is still a problem document."""
        query = LicenceLogQuery(data=request.query_params, context={"request": request})
        query.is_valid(raise_exception=True)
        client: Client = query.validated_data["client"]
        year, month = map(int, query.validated_data["month"].split("-"))
        file = tempfile.SpooledTemporaryFile(max_size=KEPT_IN_MEMORY)  # noqa: SIM115  # closed with the response
        for text in licence.lines(client, *licence.month_of(client, year, month)):
            file.write(text.encode())
        record("export", resource="licence_log", resource_id=f"{year}-{month:02}", client_id=client.pk)
        name = f"music-{client.pk}-{year}-{month:02}.csv"
        return FileSpanResponse(
            file,
            Span(0, file.tell()),
            headers={
                "Content-Type": "text/csv; charset=utf-8; header=present",
                "Content-Disposition": f'attachment; filename="{name}"',
                "Cache-Control": "private, no-store",
            },
        )
