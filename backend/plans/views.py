"""`GET /api/devices/{id}/plan/`, for the device itself and for people, and `GET /api/floors/{id}/timeline/`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
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
from plans.builder import plan_of
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
        visible = Device.objects.select_related("floor", "client").filter(pk=device_pk)
        if getattr(caller, "is_device", False):
            visible = visible.filter(pk=caller.device.pk)
        device = visible.first()
        if device is None:
            raise Refusal("not_found", "There is no such device.")
        plan = plan_of(device, now=clock.now())
        etag = f'"{plan.etag}"'
        if etag in [tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")]:
            response = HttpResponse(status=304)
        else:
            response = HttpResponse(msgspec.json.encode(plan), content_type="application/json")
        response["ETag"] = etag
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
