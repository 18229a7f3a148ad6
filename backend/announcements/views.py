"""`/api/announcements/`; playing them is `events`' part."""

from __future__ import annotations

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from announcements.filters import AnnouncementFilter
from announcements.models import Announcement
from announcements.selectors import voices_at_hand
from announcements.serializers import (
    AnnouncementSerializer,
    NewAnnouncementSerializer,
    SpeechSerializer,
    VoiceSerializer,
)
from announcements.services import generate_announcement, update_announcement, upload_announcement
from common import clock
from common.api import DestroyMixin, GuardedAPIView, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin
from common.openapi import SIGNED_IN, problems, reading, writing
from common.permissions import IsClientAdmin, IsFloorUser
from common.streaming import STREAM_HEADERS, STREAM_PROBLEMS, STREAM_RESPONSES, AnyAccept, sound_response
from common.uploads import UPLOAD_PROBLEMS

SPEECH_PROBLEMS = (
    "text_empty",
    "text_too_long",
    "text_unspeakable",
    "voice_unknown",
    "no_voice_for_language",
)


@extend_schema_view(
    list=extend_schema(
        summary="List announcements",
        responses={200: AnnouncementSerializer(many=True), **reading("validation_failed")},
    ),
    retrieve=extend_schema(summary="An announcement", responses={200: AnnouncementSerializer, **reading()}),
    partial_update=extend_schema(
        summary="Change an announcement",
        description=(
            "Title, category, enabled, validity and chime always; text, voice and language of a spoken one. Words and"
            " chime are one sound, which is then made anew. Until it is `ready` again, the earlier sound stays in use;"
            " also if making the new one fails. Naming them again after a failure tries again."
        ),
        responses={200: AnnouncementSerializer, **writing(*SPEECH_PROBLEMS)},
    ),
    destroy=extend_schema(
        summary="Delete an announcement and its sound",
        responses={
            204: None,
            **reading(),
            **problems("permission_denied", "trial_ended", "client_suspended"),
        },
    ),
)
class AnnouncementViewSet(ListMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Announcements. Client admins manage them, floor users listen."""

    model = Announcement
    serializer_class = AnnouncementSerializer
    filterset_class = AnnouncementFilter
    search_fields = ["title", "text"]
    ordering_fields = ["title", "type", "status", "category", "duration", "created_at", "updated_at"]
    lookup_value_regex = "[0-9]+"
    access = {
        "list": IsFloorUser,
        "retrieve": IsFloorUser,
        "stream": IsFloorUser,
        "create": IsClientAdmin,
        "generate": IsClientAdmin,
        "partial_update": IsClientAdmin,
        "destroy": IsClientAdmin,
    }

    def get_queryset(self) -> Any:
        """The caller's announcements, with who made them."""
        return super().get_queryset().select_related("created_by")

    def update_row(self, serializer: Any) -> Any:
        """Changes it, and has new words spoken."""
        return update_announcement(
            announcement=serializer.instance, changes=serializer.validated_data, now=clock.now()
        )

    @extend_schema(
        summary="Make an announcement",
        description=(
            "Of an uploaded or recorded sound (multipart, `file`), which is taken for what it decodes as and made"
            " into an MP3 at −16 LUFS: `processing`, then `ready` or `failed`. With type `tts` it is the same as"
            " `tts/generate/`."
        ),
        request={
            "multipart/form-data": NewAnnouncementSerializer,
            "application/json": NewAnnouncementSerializer,
        },
        responses={201: AnnouncementSerializer, **writing(*UPLOAD_PROBLEMS, *SPEECH_PROBLEMS)},
    )
    def create(self, request: Request) -> Response:
        """201 with the new announcement."""
        fields = self._valid(NewAnnouncementSerializer)
        if fields["type"] == Announcement.Type.TTS:
            del fields["type"]
            announcement = self._generated(fields)
        else:
            user: Any = request.user
            announcement = upload_announcement(
                client=fields.pop("client"),
                created_by=user,
                type=fields.pop("type"),
                upload=fields.pop("file"),
                fields=fields,
                now=clock.now(),
            )
        return Response(self.represent(announcement), status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Make an announcement of typed text",
        description="Answers at once with status `generating`, which becomes `ready`, or `failed` with the reason.",
        request=SpeechSerializer,
        responses={202: AnnouncementSerializer, **writing(*SPEECH_PROBLEMS)},
    )
    @action(detail=False, methods=["post"], url_path="tts/generate", url_name="tts-generate")
    def generate(self, request: Request) -> Response:
        """202 with the announcement that is being spoken."""
        announcement = self._generated(self._valid(SpeechSerializer))
        return Response(self.represent(announcement), status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Listen to an announcement",
        parameters=STREAM_HEADERS,
        responses=STREAM_RESPONSES | reading(*STREAM_PROBLEMS),
    )
    @action(detail=True, methods=["get"], content_negotiation_class=AnyAccept, filter_backends=[])
    def stream(self, request: Request, pk: str) -> HttpResponseBase:
        """The MP3, with ranges and conditions. `not_ready` (409) until there is one."""
        return sound_response(request, self.get_object().sound)

    def _valid(self, form_class: Any) -> dict[str, Any]:
        form = form_class(data=self.request.data, context=self.get_serializer_context())
        form.is_valid(raise_exception=True)
        return dict(form.validated_data)

    def _generated(self, fields: dict[str, Any]) -> Announcement:
        user: Any = self.request.user
        return generate_announcement(
            client=fields.pop("client"), created_by=user, fields=fields, now=clock.now()
        )


class VoiceViewSet(GuardedAPIView, GenericViewSet[Any]):
    """The voices of this server."""

    serializer_class = VoiceSerializer
    filter_backends = ()
    access = {"list": IsFloorUser}

    @extend_schema(
        summary="The voices at hand",
        description="Best first. The `id` of one is what a spoken announcement names as its `voice`.",
        parameters=[
            OpenApiParameter("language", str, description="BCP 47: `en` finds en-GB too, `en-GB` only that."),
            OpenApiParameter("engine", str, description="Only the voices of this engine."),
        ],
        responses={200: VoiceSerializer(many=True), **problems(*SIGNED_IN)},
    )
    def list(self, request: Request) -> Response:
        """A page of voices."""
        asked = request.query_params
        found = voices_at_hand(language=asked.get("language", ""), engine=asked.get("engine", ""))
        page: Any = self.paginate_queryset(found)
        return self.get_paginated_response(VoiceSerializer(page, many=True).data)
