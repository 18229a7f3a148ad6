"""`/api/channel-playlists/`: what floors play."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api import CrudViewSet
from common.openapi import reading, writing
from common.permissions import IsClientAdmin, IsFloorUser
from common.serializers import refuse_foreign
from playlists import selectors, services
from playlists.filters import ChannelPlaylistFilter
from playlists.models import ChannelPlaylist
from playlists.serializers import (
    AssignFloorsSerializer,
    ChannelPlaylistDetailSerializer,
    ChannelPlaylistSerializer,
    ReorderSerializer,
)

LATER = "Floors that have it follow within seconds, at the end of the track that sounds."


@extend_schema_view(
    list=extend_schema(
        summary="List channel playlists",
        responses={200: ChannelPlaylistSerializer(many=True), **reading("validation_failed")},
    ),
    retrieve=extend_schema(
        summary="Read a channel playlist with its items",
        responses={200: ChannelPlaylistDetailSerializer, **reading()},
    ),
    partial_update=extend_schema(
        summary="Change a channel playlist",
        description=f"`items`, if given, is the whole list; what stays in it keeps its id. {LATER}",
        responses={200: ChannelPlaylistDetailSerializer, **writing("conflict")},
    ),
    destroy=extend_schema(
        summary="Delete a channel playlist", description=LATER, responses={204: None, **writing()}
    ),
)
@extend_schema(tags=["channel-playlists"])
class ChannelPlaylistViewSet(CrudViewSet):
    """Staff see all playlists, a client admin the business's, a floor user those of their own floor."""

    model = ChannelPlaylist
    serializer_class = ChannelPlaylistDetailSerializer
    filterset_class = ChannelPlaylistFilter
    search_fields = ("name", "description")
    ordering_fields = ("name", "created_at", "updated_at", "items_count", "music_count", "enabled")
    lookup_value_regex = "[0-9]+"
    access = {
        "list": IsFloorUser,
        "retrieve": IsFloorUser,
        "create": IsClientAdmin,
        "partial_update": IsClientAdmin,
        "destroy": IsClientAdmin,
        "reorder": IsClientAdmin,
        "assign_floors": IsClientAdmin,
    }

    def get_queryset(self) -> Any:
        """Playlists with totals and floors; one of them with its items."""
        rows = super().get_queryset().select_related("created_by")
        rows = selectors.with_floors(selectors.with_totals(rows))
        return rows if self.action == "list" else selectors.with_items(rows)

    def get_serializer_class(self) -> Any:
        """A list shows no items: a page of playlists would hold thousands."""
        return ChannelPlaylistSerializer if self.action == "list" else ChannelPlaylistDetailSerializer

    def create_row(self, serializer: Any) -> ChannelPlaylist:
        """Through the service, with the whole list."""
        return services.create_playlist(by=self.caller, **serializer.wanted())

    def update_row(self, serializer: Any) -> ChannelPlaylist:
        """Through the service, which keeps the ids of what stays."""
        return services.update_playlist(playlist=serializer.instance, **serializer.wanted())

    def delete_row(self, instance: Any) -> None:
        """Through the service, which tells the floors."""
        services.delete_playlist(playlist=instance)

    @extend_schema(
        summary="Make a channel playlist",
        description=(
            "With its `items`, or empty: an empty one plays nothing and silences no other. A sound that is still"
            " being prepared joins when it is ready; the answer's `why_not` tells. Each sound once."
        ),
        responses={201: ChannelPlaylistDetailSerializer, **writing()},
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """201 with the playlist."""
        return super().create(request, *args, **kwargs)

    @extend_schema(
        summary="Put the items into another order",
        description=f"Names every item of the playlist once. {LATER}",
        request=ReorderSerializer,
        responses={200: ChannelPlaylistDetailSerializer, **writing()},
    )
    @action(detail=True, methods=["post"])
    def reorder(self, request: Request, pk: str) -> Response:
        """200 with the playlist."""
        body = ReorderSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        playlist = self.get_object()
        services.reorder_items(playlist=playlist, item_ids=body.validated_data["items"])
        return Response(self.represent(self.visible_again(playlist)))

    @extend_schema(
        operation_id="channel_playlists_assign_floors",
        summary="Say which floors have it",
        description=(
            "The whole assignment: floors by id, or with the playlist's priority there. Each floor plays a timeline"
            f" of its own. {LATER}"
        ),
        request=AssignFloorsSerializer,
        responses={200: ChannelPlaylistDetailSerializer, **writing()},
    )
    @action(detail=True, methods=["post"], url_path="assign-floors")
    def assign_floors(self, request: Request, pk: str) -> Response:
        """200 with the playlist."""
        playlist = self.get_object()
        body = AssignFloorsSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        refuse_foreign(body, body.validated_data, playlist.client_id)
        with transaction.atomic():
            services.assign_floors(playlist=playlist, assignments=body.wanted())
            playlist = self.visible_again(playlist)
        return Response(self.represent(playlist))
