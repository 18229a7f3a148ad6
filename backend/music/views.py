"""`/api/music/`."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http.response import HttpResponseBase
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from common import clock
from common.api import DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin
from common.errors import CODES, Refusal, problem
from common.openapi import problems, reading, writing
from common.permissions import IsClientAdmin, IsFloorUser
from common.streaming import STREAM_HEADERS, STREAM_PROBLEMS, STREAM_RESPONSES, AnyAccept, sound_response
from common.uploads import UPLOAD_PROBLEMS
from music.filters import MusicFilter
from music.models import MusicFile
from music.serializers import (
    MusicSerializer,
    MusicUploadSerializer,
    UploadedMusicSerializer,
    UploadResultsSerializer,
)
from music.services import update_music, upload_music


@extend_schema_view(
    list=extend_schema(
        summary="List tracks", responses={200: MusicSerializer(many=True), **reading("validation_failed")}
    ),
    retrieve=extend_schema(summary="A track", responses={200: MusicSerializer, **reading()}),
    partial_update=extend_schema(
        summary="Change a track's name or tags", responses={200: MusicSerializer, **writing()}
    ),
    destroy=extend_schema(
        summary="Delete a track and its file",
        responses={
            204: None,
            **reading(),
            **problems("permission_denied", "trial_ended", "client_suspended"),
        },
    ),
)
class MusicViewSet(ListMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Tracks. Client admins manage them, floor users listen."""

    model = MusicFile
    serializer_class = MusicSerializer
    filterset_class = MusicFilter
    search_fields = ["name", "artist", "album"]
    ordering_fields = ["name", "artist", "album", "genre", "duration", "file_size", "status", "created_at"]
    lookup_value_regex = "[0-9]+"
    access = {
        "list": IsFloorUser,
        "retrieve": IsFloorUser,
        "stream": IsFloorUser,
        "upload": IsClientAdmin,
        "partial_update": IsClientAdmin,
        "destroy": IsClientAdmin,
    }

    def get_queryset(self) -> Any:
        """The caller's tracks, with who uploaded them."""
        return super().get_queryset().select_related("created_by")

    def update_row(self, serializer: Any) -> Any:
        """Changes name and tags."""
        return update_music(music=serializer.instance, changes=serializer.validated_data)

    @extend_schema(
        summary="Upload one track or several",
        description=(
            "Each file is taken for what it decodes as. It is answered as `processing` and becomes `ready` when its"
            " loudness is measured. One file: 201 with the track, or the problem. Several: each has a result of"
            " its own, 201 if all were kept and 207 if some were; if none was, 400 tells why for each as"
            " `file.0`, `file.1`, … The same content uploaded twice is kept twice, and said in `duplicate_of`."
        ),
        request={"multipart/form-data": MusicUploadSerializer},
        responses={
            201: PolymorphicProxySerializer(
                component_name="MusicUploadAnswer",
                serializers=[UploadedMusicSerializer, UploadResultsSerializer],
                resource_type_field_name=None,
            ),
            207: UploadResultsSerializer,
            **writing(*UPLOAD_PROBLEMS, "unsupported_media_type"),
        },
    )
    @action(detail=False, methods=["post"], parser_classes=[MultiPartParser])
    def upload(self, request: Request) -> Response:
        """Keeps what can be kept."""
        form = MusicUploadSerializer(data=request.data, context=self.get_serializer_context())
        form.is_valid(raise_exception=True)
        given = dict(form.validated_data)
        files = given.pop("file")
        if len(files) == 1:
            return Response(self._kept(files[0], given), status=status.HTTP_201_CREATED)
        results = [self._result(upload, given) for upload in files]
        refused = [(place, found["problem"]) for place, found in enumerate(results) if found["problem"]]
        if len(refused) == len(results):
            errors = [
                {"field": f"file.{place}", "code": why["code"], "detail": why["detail"]}
                for place, why in refused
            ]
            raise Refusal(
                "validation_failed", f"None of the {len(results)} files can be used.", errors=errors
            )
        code = status.HTTP_207_MULTI_STATUS if refused else status.HTTP_201_CREATED
        return Response({"results": results}, status=code)

    def _kept(self, upload: UploadedFile[Any], given: dict[str, Any]) -> dict[str, Any]:
        fields = dict(given)
        user: Any = self.request.user
        music = upload_music(
            client=fields.pop("client"), created_by=user, upload=upload, given=fields, now=clock.now()
        )
        return dict(UploadedMusicSerializer(music, context=self.get_serializer_context()).data)

    def _result(self, upload: UploadedFile[Any], given: dict[str, Any]) -> dict[str, Any]:
        try:
            kept, refused = self._kept(upload, given), None
        except Refusal as refusal:
            kept, refused = None, problem(refusal.code, refusal.detail)
        code = CODES[refused["code"]].status if refused else status.HTTP_201_CREATED
        return {"file": upload.name, "status": code, "music": kept, "problem": refused}

    @extend_schema(
        summary="Listen to a track",
        parameters=STREAM_HEADERS,
        responses=STREAM_RESPONSES | reading(*STREAM_PROBLEMS),
    )
    @action(detail=True, methods=["get"], content_negotiation_class=AnyAccept, filter_backends=[])
    def stream(self, request: Request, pk: str) -> HttpResponseBase:
        """The file as it was uploaded, with ranges and conditions."""
        return sound_response(request, self.get_object().sound)
