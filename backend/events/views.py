"""Playing now, taking it back, and the record of what played."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from announcements.models import Announcement
from common import clock
from common.api import GuardedAPIView, ListMixin, RetrieveMixin, TenantViewSet
from common.errors import Refusal
from common.filters import LOG_FILTERS
from common.openapi import reading, writing
from common.pagination import CursorPages
from common.permissions import IsFloorUser
from common.serializers import refuse_foreign
from common.windows import past_window_of
from devices.models import Device
from events import services
from events.domain import ledger
from events.filters import PlayEventFilter
from events.models import PlayEvent
from events.orders import speakers
from events.serializers import (
    CancelledSerializer,
    CancelSerializer,
    OrderedPlaySerializer,
    PlayEventDetailSerializer,
    PlayEventSerializer,
    PlaySerializer,
    SummarySerializer,
)
from events.summary import summary_of
from users.selectors import called
from zones.domain import load_zone

LONGEST_SUMMARY = timedelta(days=92)


class PlayAnnouncementView(GuardedAPIView):
    """`POST /api/announcements/{id}/play/`."""

    access = {"post": IsFloorUser}
    works_when_locked: ClassVar[frozenset[str]] = frozenset({"post"})
    """An emergency may sound in a locked business; the service refuses everything else."""

    @extend_schema(
        operation_id="announcements_play",
        summary="Play an announcement now",
        description=(
            "All online devices start at the same instant, `play_at`. An offline device is waited for, 60 s long;"
            " `offline` says which."
        ),
        request=PlaySerializer,
        responses={
            202: OrderedPlaySerializer,
            **writing(
                "floor_stopped",
                "quiet_hours",
                "not_ready",
                "announcement_disabled",
                "no_devices",
            ),
        },
    )
    def post(self, request: Request, announcement_pk: int) -> Response:
        """Orders the play; answers before it sounds."""
        announcement = Announcement.objects.select_related("client").filter(pk=announcement_pk).first()
        if announcement is None:
            raise Refusal("not_found", "There is no such announcement.")
        body = PlaySerializer(data=request.data, context={"request": request})
        body.is_valid(raise_exception=True)
        wanted = dict(body.validated_data)
        refuse_foreign(body, wanted, announcement.client_id)
        play = services.play_now(
            announcement=announcement,
            devices=speakers(_devices(announcement, wanted)),
            floors=wanted.get("floors", ()),
            user=request.user,
            now=clock.now(),
            volume=wanted.get("volume"),
            priority=wanted["priority"],
            play_at=wanted.get("play_at"),
            override_quiet_hours=wanted["override_quiet_hours"],
        )
        return Response(_ordered(play), status=status.HTTP_202_ACCEPTED)


def _ordered(play: services.Play) -> dict[str, Any]:
    """`OrderedPlaySerializer`, from the columns alone: the speakers' frames need the processor meanwhile."""
    shown = serializers.DateTimeField().to_representation
    expiries = {expiry: shown(expiry) for expiry in {event.expires_at for event in play.events}}
    play_at = shown(play.play_at)
    return {
        "play_id": str(play.play_id),
        "play_at": play_at,
        "devices": len(play.events),
        "offline": len(play.offline),
        "events": [
            {
                "id": event.pk,
                "device": event.device_id,
                "device_name": event.device_name,
                "floor": event.floor_id,
                "status": ledger.PENDING,
                "offline": event.waits_for_device,
                "volume": event.volume,
                "play_at": play_at,
                "expires_at": expiries[event.expires_at],
            }
            for event in play.events
        ],
    }


def _devices(announcement: Announcement, wanted: dict[str, Any]) -> QuerySet[Device]:
    """The devices that a body names, each once: of this client, and within what the caller may see."""
    own: QuerySet[Device] = Device.objects.filter(client_id=announcement.client_id, revoked_at=None)
    own = own.order_by("pk")
    if wanted["all"]:
        return own
    named = own.filter(pk__in=[device.pk for device in wanted.get("devices", [])])
    return named | own.filter(floor__in=wanted.get("floors", []))


@extend_schema_view(
    list=extend_schema(
        summary="What played",
        description=(
            "The newest first: by `created_at`, and by `play_at` where `from` or `to` is given. `search` looks through"
            " the newest 50,000 plays that the other filters leave."
        ),
        responses={200: PlayEventSerializer(many=True), **reading("validation_failed", "bad_cursor")},
    ),
    retrieve=extend_schema(
        summary="One play with its whole history", responses={200: PlayEventDetailSerializer, **reading()}
    ),
)
class PlayEventViewSet(ListMixin, RetrieveMixin, TenantViewSet):
    """The ledger: what was ordered on which device, and what became of it."""

    model = PlayEvent
    serializer_class = PlayEventSerializer
    pagination_class = CursorPages
    filter_backends = LOG_FILTERS
    filterset_class = PlayEventFilter
    search_fields = ["announcement_title", "device_name", "floor_name"]
    ordering_fields = ["created_at", "play_at"]
    access = {
        "list": IsFloorUser,
        "retrieve": IsFloorUser,
        "summary": IsFloorUser,
        "cancel": IsFloorUser,
        "cancel_play": IsFloorUser,
    }
    works_when_locked: ClassVar[frozenset[str]] = frozenset({"cancel", "cancel_play"})
    """Silence may always be asked for."""

    @property
    def ordering(self) -> list[str]:
        """A range of `play_at` is read in its order: that of `created_at` would lead past all that is newer."""
        query = self.request.query_params if self.request else {}
        return ["-play_at"] if {"from", "to"} & set(query) else ["-created_at"]

    def get_queryset(self) -> Any:
        """The caller's events; one of them with its history."""
        rows = PlayEvent.objects.select_related("created_by")
        return rows.prefetch_related("changes") if self.action == "retrieve" else rows

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A page as the serializer shows it, from the columns alone: no model, no field is made for each cell."""
        rows = self.filter_queryset(self.get_queryset()).annotate(created_by_name=called("created_by"))
        page = self.paginate_queryset(rows.values_list(*PlayEventSerializer.Meta.fields, named=True))
        return self.get_paginated_response([row._asdict() for row in page or ()])

    def get_serializer_class(self) -> Any:
        """The detail has the history."""
        return PlayEventDetailSerializer if self.action == "retrieve" else PlayEventSerializer

    @extend_schema(
        operation_id="play_events_summary",
        summary="Plays in numbers",
        description=(
            "The plays that the filters leave, counted by local day, by speaker and by reason. `from` and `to` are"
            " needed, 92 days apart at most."
        ),
        filters=True,
        responses={200: SummarySerializer, **reading("validation_failed")},
    )
    @action(detail=False, methods=["get"], pagination_class=None)
    def summary(self, request: Request) -> Response:
        """200 with the numbers; days are those of the caller's business, UTC for sync2gear's staff."""
        window = past_window_of(request, longest=LONGEST_SUMMARY)
        zone = self.caller.client.timezone if self.caller.client_id else "UTC"
        events = self.filter_queryset(PlayEvent.objects.all())
        numbers = summary_of(events, zone=load_zone(zone))
        answer = {"start": window.start, "to": window.end, "timezone": zone, **numbers}
        return Response(SummarySerializer(answer).data)

    @extend_schema(
        summary="Cancel one play that has not started",
        request=None,
        responses={200: PlayEventSerializer, **writing("already_started", "already_ended")},
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Takes one event back."""
        event = self.get_object()
        cancelled = services.cancel_events(events=[event], now=clock.now())
        if not cancelled:
            event = self.get_object()
            code = "already_started" if event.status == PlayEvent.Status.PLAYING else "already_ended"
            raise Refusal(code, f"It cannot be taken back: it is {event.status}.")
        return Response(self.get_serializer(cancelled[0]).data)

    @extend_schema(
        operation_id="play_events_cancel_play",
        summary="Cancel a whole play",
        description="On every device where it has not started; the answer tells the rest.",
        request=CancelSerializer,
        responses={200: CancelledSerializer, **writing()},
    )
    @action(detail=False, methods=["post"], url_path="cancel")
    def cancel_play(self, request: Request) -> Response:
        """Takes back all events of one play."""
        body = CancelSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        events = list(self.get_queryset().filter(play_id=body.validated_data["play_id"]))
        if not events:
            raise Refusal("not_found", "There is no such play.")
        cancelled = {row.pk: row for row in services.cancel_events(events=events, now=clock.now())}
        rest = list(self.get_queryset().filter(pk__in=[e.pk for e in events if e.pk not in cancelled]))
        answer = {"cancelled": list(cancelled.values()), "not_cancelled": rest}
        return Response(CancelledSerializer(answer).data)
