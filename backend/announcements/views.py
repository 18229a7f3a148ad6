"""`/api/announcements/`; playing them is `events`' part."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from announcements.clips import MEDIA_KIND as CLIPS
from announcements.drafting import preview_speech, write_draft
from announcements.filters import AnnouncementFilter
from announcements.models import Announcement
from announcements.serializers import (
    AnnouncementSerializer,
    DraftAskedSerializer,
    DraftSerializer,
    NewAnnouncementSerializer,
    PreviewAskedSerializer,
    PreviewSerializer,
    SpeechSerializer,
    VoiceSerializer,
)
from announcements.services import generate_announcement, update_announcement, upload_announcement
from announcements.voice_list import voices_on_offer
from common import clock
from common.api import DestroyMixin, GuardedAPIView, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin
from common.media_urls import media_url
from common.openapi import SIGNED_IN, problems, reading, writing
from common.permissions import IsClientAdmin, IsFloorUser
from common.streaming import STREAM_HEADERS, STREAM_PROBLEMS, STREAM_RESPONSES, AnyAccept, sound_response
from common.throttling import spend
from common.uploads import UPLOAD_PROBLEMS

SPEECH_PROBLEMS = (
    "text_empty",
    "text_too_long",
    "text_unspeakable",
    "voice_unknown",
    "no_voice_for_language",
    "out_of_credits",
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
        "preview": IsClientAdmin,
        "draft": IsClientAdmin,
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
        description=(
            "Answers at once with status `generating`, which becomes `ready`, or `failed` with the reason. The voice"
            " asked for speaks it, else sync2gear's providers in their order, else a voice of this server; `speech`"
            " tells who did. A provider costs one AI credit for every 1,000 characters begun, taken when it has"
            " spoken; the same words by the same voice are not paid for twice."
        ),
        request=SpeechSerializer,
        responses={202: AnnouncementSerializer, **writing(*SPEECH_PROBLEMS)},
    )
    @action(detail=False, methods=["post"], url_path="tts/generate", url_name="tts-generate")
    def generate(self, request: Request) -> Response:
        """202 with the announcement that is being spoken."""
        announcement = self._generated(self._valid(SpeechSerializer))
        return Response(self.represent(announcement), status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Hear a voice",
        description=(
            "Has some words spoken while you wait, and keeps no announcement. Costs and falls back as"
            " `tts/generate/` does."
        ),
        request=PreviewAskedSerializer,
        responses={
            200: PreviewSerializer,
            **writing(*SPEECH_PROBLEMS, "speech_failed", "rate_limited"),
        },
    )
    @action(detail=False, methods=["post"], url_path="tts/preview", url_name="tts-preview")
    def preview(self, request: Request) -> Response:
        """200 with a link to the sound."""
        fields = self._valid(PreviewAskedSerializer)
        now = clock.now()
        spend("speech_preview.user", str(self.caller.pk), now=now)
        clip, told = preview_speech(
            client=fields["client"],
            text=fields["text"],
            voice=fields.get("voice", ""),
            language=fields.get("language", ""),
            now=now,
        )
        link, expires_at = media_url(CLIPS, clip.pk, clip.sha256, now=now)
        shown = {
            "audio_url": link,
            "expires_at": expires_at,
            "duration_ms": clip.duration_ms,
            "mime_type": clip.mime_type,
            "speech": told.as_json(),
        }
        return Response(PreviewSerializer(shown).data)

    @extend_schema(
        summary="Have an announcement drafted",
        description=(
            "A provider writes copy for this purpose, of at most `max_seconds` when spoken. It is plain text to be"
            " read and changed by a person, and nothing is kept. One AI credit, given back if nothing was written."
        ),
        request=DraftAskedSerializer,
        responses={
            200: DraftSerializer,
            **writing("no_copy_provider", "out_of_credits", "providers_unavailable", "rate_limited"),
        },
    )
    @action(detail=False, methods=["post"])
    def draft(self, request: Request) -> Response:
        """200 with the text."""
        fields = self._valid(DraftAskedSerializer)
        spend("draft.user", str(self.caller.pk), now=clock.now())
        return Response(DraftSerializer(asdict(write_draft(**fields))).data)

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
    """The voices of providers and of this server."""

    serializer_class = VoiceSerializer
    filter_backends = ()
    access = {"list": IsFloorUser}

    @extend_schema(
        summary="The voices on offer",
        description=(
            "Of the active providers and of this server, best first. The `id` of one is what a spoken announcement"
            " names as its `voice`. A provider that cannot be asked just now is left out."
        ),
        parameters=[
            OpenApiParameter("language", str, description="BCP 47: `en` finds en-GB too, `en-GB` only that."),
            OpenApiParameter("engine", str, description="Only the voices of this engine."),
        ],
        responses={200: VoiceSerializer(many=True), **problems(*SIGNED_IN)},
    )
    def list(self, request: Request) -> Response:
        """A page of voices."""
        asked = request.query_params
        found = voices_on_offer(
            language=asked.get("language", ""), engine=asked.get("engine", ""), now=clock.now()
        )
        page: Any = self.paginate_queryset(found)
        return self.get_paginated_response(VoiceSerializer(page, many=True).data)
