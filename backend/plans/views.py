"""`GET /api/devices/{id}/plan/`, for the device itself and for people, and `GET /api/floors/{id}/timeline/`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from common import clock
from common.api import GuardedAPIView
from common.errors import Refusal
from common.openapi import reading
from common.permissions import IsDeviceOrFloorUser, IsFloorUser
from common.windows import window_of, window_parameters
from devices.authentication import DeviceAuthentication
from devices.models import Device
from plans.kept import answer
from plans.serializers import TimelineSerializer
from plans.timeline import timeline_of
from users.authentication import BearerAuthentication
from zones.models import Floor

LONGEST_TIMELINE = timedelta(hours=48)


class DevicePlanView(GuardedAPIView):
    """What a device has to do over the next day."""

    authentication_classes = (DeviceAuthentication, BearerAuthentication)
    access = {"get": IsDeviceOrFloorUser}

    @extend_schema(
        summary="The plan of a speaker",
        description=(
            "For the speaker with its own token, and for people who may see it. `docs/device-protocol.md`"
            " describes the document. Send `If-None-Match` with the last ETag: 304 means that it still holds."
        ),
        parameters=[OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER)],
        responses={200: OpenApiTypes.OBJECT, 304: None, **reading()},
    )
    def get(self, request: Request, device_pk: int) -> HttpResponse:
        """The plan, unless the caller has it already."""
        caller: Any = request.user
        if getattr(caller, "is_device", False):
            device = caller.device if caller.device.pk == device_pk else None
        else:
            device = Device.objects.select_related("floor", "client").filter(pk=device_pk).first()
        if device is None:
            raise Refusal("not_found", "There is no such device.")
        tags = request.headers.get("If-None-Match", "").split(",")
        known = {tag[1:-1] for tag in map(str.strip, tags) if tag.startswith('"') and tag.endswith('"')}
        etag, document = answer(device, known=known, now=clock.now())
        if document is None:
            response = HttpResponse(status=304)
        else:
            response = HttpResponse(document, content_type="application/json")
        response["ETag"] = f'"{etag}"'
        response["Cache-Control"] = "private, no-cache"
        return response


class FloorTimelineView(GuardedAPIView):
    """What a floor sounds, hour by hour, and who yields to whom."""

    access = {"get": IsFloorUser}

    @extend_schema(
        operation_id="floors_timeline",
        tags=["floors"],
        summary="What a floor sounds in a window",
        description=(
            "The programme's segments, the announcements over it with what became or becomes of each, and the spans of"
            " silence. Of announcements that meet, the lower waits, or is dropped at its expiry: `by` names the play"
            " that stood in its way."
        ),
        parameters=window_parameters("48 hours"),
        responses={200: TimelineSerializer, **reading("validation_failed")},
    )
    def get(self, request: Request, floor_pk: int) -> Response:
        """200 with the timeline."""
        floor = Floor.objects.select_related("client").filter(pk=floor_pk).first()
        if floor is None:
            raise Refusal("not_found", "There is no such floor.")
        now = clock.now()
        window = window_of(request, now=now, longest=LONGEST_TIMELINE)
        timeline = timeline_of(floor, window.start, window.end, now=now)
        answer = {"floor": floor, "start": window.start, "to": window.end, "timeline": timeline}
        return Response(TimelineSerializer(answer).data)
