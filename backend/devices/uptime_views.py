"""How much of the time speakers were there, and when they were not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar, get_args

import django_filters
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from common import clock
from common.api import ListMixin, TenantViewSet
from common.openapi import reading
from common.pagination import CursorPages, Pages
from common.permissions import IsFloorUser
from common.serializers import invalid
from common.windows import past_window_of
from devices.domain.uptime import Step, edges_of
from devices.filters import DeviceFilter
from devices.models import Device, Outage
from devices.serializers import OutageSerializer, UptimeSerializer
from devices.uptime import listened, uptimes
from devices.views import ORDERING, SEARCH
from zones.domain import Span, load_zone

LONGEST: dict[Step, timedelta] = {"day": timedelta(days=92), "hour": timedelta(days=8)}


class UptimeFilter(DeviceFilter):
    """`device` besides."""

    device = django_filters.NumberFilter(field_name="pk")


class UptimePages(Pages):
    """Pages of speakers, with what their numbers are about."""

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The page in OpenAPI."""
        page: dict[str, Any] = super().get_paginated_response_schema(schema)
        instant = {"type": "string", "format": "date-time"}
        page["properties"] |= {
            "from": instant,
            "to": instant | {"description": "Now at the latest: what is to come does not count."},
            "timezone": {"type": "string", "description": "In which days and hours begin."},
            "parts": {"type": "array", "items": instant, "description": "When each day or hour begins."},
        }
        page["required"] = [*page["required"], "from", "to", "timezone", "parts"]
        return page


@extend_schema_view(
    list=extend_schema(
        operation_id="devices_uptime",
        summary="How much of the time speakers were there",
        description=(
            "A speaker is away from its last sign of life on, once it has given none for 45 seconds. Time in which the"
            " server itself heard nobody counts for nothing, nor does what was before a speaker's first sign of life."
        ),
        parameters=[
            OpenApiParameter(
                "from", OpenApiTypes.DATETIME, required=True, description="From this instant on."
            ),
            OpenApiParameter(
                "to",
                OpenApiTypes.DATETIME,
                required=True,
                description="Before this instant; 92 days at most, 8 by the hour.",
            ),
            OpenApiParameter(
                "by", str, enum=get_args(Step), default="day", description="How the time is divided."
            ),
        ],
        responses={200: UptimeSerializer(many=True), **reading("validation_failed")},
    )
)
class UptimeViewSet(ListMixin, TenantViewSet):
    """Speakers with their uptime in a window."""

    model = Device
    serializer_class = UptimeSerializer
    pagination_class = UptimePages
    filterset_class = UptimeFilter
    search_fields = SEARCH
    ordering_fields = ORDERING
    access: ClassVar[dict[str, Any]] = {"list": IsFloorUser}

    def get_queryset(self) -> Any:
        """The caller's speakers."""
        return Device.objects.select_related("floor")

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A page of them; days are those of the caller's business, UTC for sync2gear's staff."""
        step = _step(request)
        window = past_window_of(request, longest=LONGEST[step])
        now = clock.now()
        end = min(window.end, now)
        start = min(max(window.start, clock.EPOCH), end)
        zone = self.caller.client.timezone if self.caller.client_id else "UTC"
        edges = edges_of(Span(clock.to_us(start), clock.to_us(end)), load_zone(zone), step)
        devices = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        rows = UptimeSerializer(uptimes(devices, edges, now=now), many=True).data
        page = self.get_paginated_response(rows)
        page.data |= {
            "from": start,
            "to": end,
            "timezone": zone,
            "parts": [clock.from_us(edge) for edge in edges[:-1]],
        }
        return page


def _step(request: Request) -> Step:
    step = request.query_params.get("by", "day")
    if step not in LONGEST:
        raise invalid("by", "invalid_choice", "Divide it by day or by hour.")
    return step


@extend_schema_view(
    list=extend_schema(
        operation_id="devices_outages",
        summary="When a speaker was away",
        description="The newest first. It is away still where `ended_at` is null.",
        parameters=[OpenApiParameter("device_id", int, OpenApiParameter.PATH)],
        responses={200: OutageSerializer(many=True), **reading("validation_failed", "bad_cursor")},
    )
)
class OutageViewSet(ListMixin, TenantViewSet):
    """The outages of one speaker."""

    model = Outage
    serializer_class = OutageSerializer
    pagination_class = CursorPages
    ordering_fields = ("started_at",)
    access: ClassVar[dict[str, Any]] = {"list": IsFloorUser}

    def get_queryset(self) -> Any:
        """The speaker's outages."""
        return Outage.objects.filter(device_id=self.kwargs.get("device_id", 0))

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A page of them; 404 when the caller does not see the speaker."""
        if not Device.objects.filter(pk=kwargs["device_id"]).exists():
            raise Http404
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        now = clock.now()
        start = min((row.started_at for row in rows), default=now)
        context = {"heard": listened(start, now, now=now), "now": now}
        return self.get_paginated_response(OutageSerializer(rows, many=True, context=context).data)
