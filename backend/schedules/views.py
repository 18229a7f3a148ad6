"""`/api/schedules/`, and the stop of a floor."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common import clock
from common.api import CrudViewSet, GuardedAPIView
from common.errors import Refusal
from common.openapi import reading, writing
from common.permissions import IsClientAdmin, IsFloorUser
from common.windows import window_of, window_parameters
from schedules import foresight, preview, selectors, services
from schedules.filters import ScheduleFilter
from schedules.models import Schedule
from schedules.serializers import (
    FloorStopSerializer,
    ForeseenSerializer,
    NextSerializer,
    OccurrencesSerializer,
    ResumedSerializer,
    ScheduleDraftSerializer,
    ScheduleSerializer,
    StopSerializer,
)
from zones.models import Floor

LONGEST_PREVIEW = timedelta(days=31)
AT_ONCE = "Speakers hear of it at once; what was to play within the next minute and a half is taken back."


@extend_schema_view(
    list=extend_schema(
        summary="List schedules",
        responses={200: ScheduleSerializer(many=True), **reading("validation_failed")},
    ),
    retrieve=extend_schema(summary="Read a schedule", responses={200: ScheduleSerializer, **reading()}),
    partial_update=extend_schema(
        summary="Change a schedule",
        description=f"A list that is given is the whole list. {AT_ONCE}",
        responses={200: ScheduleSerializer, **writing("conflict")},
    ),
    destroy=extend_schema(
        summary="Delete a schedule",
        description=f"What it has played stays on the record. {AT_ONCE}",
        responses={204: None, **writing()},
    ),
)
@extend_schema(tags=["schedules"])
class ScheduleViewSet(CrudViewSet):
    """Staff see all schedules, a client admin the business's, a floor user those that fire on their own floor."""

    model = Schedule
    serializer_class = ScheduleSerializer
    filterset_class = ScheduleFilter
    search_fields = ("name", "schedule_announcements__announcement__title")
    ordering_fields = ("name", "schedule_type", "enabled", "created_at", "updated_at")
    lookup_value_regex = "[0-9]+"
    access = {
        "list": IsFloorUser,
        "retrieve": IsFloorUser,
        "create": IsClientAdmin,
        "partial_update": IsClientAdmin,
        "destroy": IsClientAdmin,
        "toggle": IsClientAdmin,
        "occurrences": IsFloorUser,
        "next": IsFloorUser,
        "preview": IsClientAdmin,
    }
    repeatable: ClassVar[dict[str, str]] = {"preview": "it writes nothing, so it can be asked again"}
    works_when_locked: ClassVar[frozenset[str]] = frozenset({"preview"})
    """It writes nothing, and says that the business is locked."""

    def get_queryset(self) -> Any:
        """Schedules with their lists."""
        rows = super().get_queryset()
        return (
            rows.select_related("client")
            if self.action in {"occurrences", "next"}
            else selectors.with_parts(rows)
        )

    def create_row(self, serializer: Any) -> Schedule:
        """Through the service, which says what could never fire."""
        return services.create_schedule(by=self.caller, now=clock.now(), **serializer.wanted())

    def update_row(self, serializer: Any) -> Schedule:
        """Through the service, which tells the speakers."""
        return services.update_schedule(schedule=serializer.instance, now=clock.now(), **serializer.wanted())

    def delete_row(self, instance: Any) -> None:
        """Through the service, which takes back what was written ahead."""
        services.delete_schedule(schedule=instance, now=clock.now())

    @extend_schema(
        summary="Make a schedule",
        description=(
            "`interval`: every `interval_minutes` from local midnight, one of its announcements. `timeline`: cycles"
            " of `cycle_duration_minutes` from local midnight, each announcement at its own second. Times are read in"
            " the zone of each floor. One that is switched on and could never fire is refused, with the reason."
        ),
        responses={201: ScheduleSerializer, **writing()},
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """201 with the schedule."""
        return super().create(request, *args, **kwargs)

    @extend_schema(
        summary="Switch a schedule off, or on again",
        description=AT_ONCE,
        request=None,
        responses={200: ScheduleSerializer, **writing()},
    )
    @action(detail=True, methods=["post"])
    def toggle(self, request: Request, pk: str) -> Response:
        """200 with the schedule."""
        schedule = services.toggle_schedule(schedule=self.get_object(), now=clock.now())
        return Response(self.represent(self.visible_again(schedule)))

    @extend_schema(
        operation_id="schedules_occurrences",
        summary="When it fires, when it fired, and why not",
        description=(
            "Past occurrences with what became of them on each device, coming ones as the rules stand. At most 1,000"
            " instants; `next_from` says where to ask on."
        ),
        parameters=window_parameters("31 days"),
        responses={200: OccurrencesSerializer, **reading("validation_failed")},
    )
    @action(detail=True, methods=["get"], filter_backends=[], pagination_class=None)
    def occurrences(self, request: Request, pk: str) -> Response:
        """200 with the occurrences of the window."""
        now = clock.now()
        schedule = self.get_object()
        window = window_of(request, now=now, longest=LONGEST_PREVIEW)
        found, next_from = preview.seen(schedule, window.start, window.end, now=now)
        answer = {"start": window.start, "to": window.end, "next_from": next_from, "occurrences": found}
        return Response(OccurrencesSerializer(answer).data)

    @extend_schema(
        operation_id="schedules_next",
        summary="When each schedule is heard next",
        description=(
            "The schedules of the list by their ids, with the same filters, order and pages, and of each the next"
            " occurrence that nothing suppresses. A least gap between announcements may still leave it out."
        ),
        responses={200: NextSerializer(many=True), **reading("validation_failed")},
    )
    @action(detail=False, methods=["get"])
    def next(self, request: Request) -> Response:
        """200 with a page of them."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        found = foresight.next_of(page or [], now=clock.now())
        return self.get_paginated_response(NextSerializer(found, many=True).data)

    @extend_schema(
        operation_id="schedules_preview",
        summary="When a schedule would fire that is not saved",
        description=(
            "The next 50 instants at most, 31 days ahead at most, as if it were switched on, and how many are left out"
            " for which reason. Which of several announcements is drawn is known once it is saved. Nothing is written."
        ),
        request=ScheduleDraftSerializer,
        responses={200: ForeseenSerializer, **writing()},
    )
    @action(detail=False, methods=["post"], filter_backends=[], pagination_class=None)
    def preview(self, request: Request) -> Response:
        """200 with what it would do."""
        body = ScheduleDraftSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        schedule, parts = body.draft()
        return Response(ForeseenSerializer(foresight.foreseen(schedule, parts, now=clock.now())).data)


def floor_or_refusal(floor_pk: int) -> Floor:
    """The floor, if the caller may see it; raises `Refusal` `not_found`."""
    floor = Floor.objects.select_related("client").filter(pk=floor_pk).first()
    if floor is None:
        raise Refusal("not_found", "There is no such floor.")
    return floor


class FloorStopView(GuardedAPIView):
    """`POST /api/floors/{id}/stop/`."""

    access = {"post": IsFloorUser}
    works_when_locked: ClassVar[frozenset[str]] = frozenset({"post"})
    """Silence may always be asked for."""

    @extend_schema(
        operation_id="floors_stop",
        tags=["floors"],
        summary="Silence a floor for a while",
        description=(
            "Music and scheduled announcements are silent until then, or until it is lifted; emergencies sound."
            " It outlasts a restart of speakers and server."
        ),
        request=StopSerializer,
        responses={201: FloorStopSerializer, **writing()},
    )
    def post(self, request: Request, floor_pk: int) -> Response:
        """201 with the stop."""
        body = StopSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        caller: Any = request.user
        stop = services.stop_floor(
            floor=floor_or_refusal(floor_pk), until=body.validated_data["until"], by=caller, now=clock.now()
        )
        return Response(FloorStopSerializer(stop).data, status=status.HTTP_201_CREATED)


class FloorResumeView(GuardedAPIView):
    """`POST /api/floors/{id}/resume/`."""

    access = {"post": IsFloorUser}

    @extend_schema(
        operation_id="floors_resume",
        tags=["floors"],
        summary="Lift the stop of a floor",
        description="The music is back where it would be without the stop.",
        request=None,
        responses={200: ResumedSerializer, **writing()},
    )
    def post(self, request: Request, floor_pk: int) -> Response:
        """200, also when there was nothing to be lifted."""
        resumed = services.resume_floor(floor=floor_or_refusal(floor_pk), now=clock.now())
        return Response({"resumed": resumed})
