"""Music as the API shows and takes it."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from rest_framework import serializers

from common import clock
from common.media_urls import media_url
from common.serializers import TenantSerializer
from music import selectors
from music.models import MusicFile
from music.services import EDITABLE

MOST_FILES = 20
"""Files of one upload request; each is examined before the answer."""


class MusicSerializer(TenantSerializer[MusicFile]):
    """A track. Only its name and tags can be changed."""

    stream_url = serializers.SerializerMethodField(help_text="For callers with an access token.")
    audio_url = serializers.SerializerMethodField(
        help_text="A signed link for `<audio>`, good for at least 24 hours, that needs no token."
    )
    created_by_name = serializers.SerializerMethodField()

    class Meta:
        model = MusicFile
        fields = [
            "id",
            "client",
            *EDITABLE,
            "status",
            "failure_code",
            "failure_detail",
            "duration",
            "duration_ms",
            "file_size",
            "mime_type",
            "sha256",
            "loudness_lufs",
            "true_peak_dbtp",
            "gain_db",
            "stream_url",
            "audio_url",
            "created_at",
            "created_by",
            "created_by_name",
        ]
        read_only_fields = [name for name in fields if name not in (*EDITABLE, "client")]

    def get_stream_url(self, music: MusicFile) -> str:
        """Where the sound is streamed from."""
        return reverse("music-stream", args=[music.pk])

    def get_audio_url(self, music: MusicFile) -> str:
        """A signed link."""
        return media_url(selectors.MEDIA_KIND, music.pk, music.sha256, now=clock.now())[0]

    def get_created_by_name(self, music: MusicFile) -> str | None:
        """Who uploaded it."""
        return str(music.created_by) if music.created_by else None


class UploadedMusicSerializer(MusicSerializer):
    """A track that was just uploaded."""

    duplicate_of = serializers.SerializerMethodField(
        help_text="The id of an earlier track with the very same content, if there is one. Both are kept."
    )

    class Meta(MusicSerializer.Meta):
        fields = [*MusicSerializer.Meta.fields, "duplicate_of"]
        read_only_fields = [*MusicSerializer.Meta.read_only_fields, "duplicate_of"]

    def get_duplicate_of(self, music: MusicFile) -> int | None:
        """An earlier track with the same bytes."""
        return selectors.earliest_with_same_content(music)


class MusicUploadSerializer(TenantSerializer[MusicFile]):
    """The form of an upload. Artist, album and genre hold for every file of it."""

    file = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True),
        min_length=1,
        max_length=MOST_FILES,
        help_text="One file, or the field repeated for several.",
    )

    class Meta:
        model = MusicFile
        fields = ["client", "file", *EDITABLE]
        extra_kwargs = {"name": {"required": False, "help_text": "Else its title tag, else the file's name."}}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What belongs to one track is refused for several."""
        single = [name for name in ("name", "isrc") if attrs.get(name)]
        if len(attrs["file"]) > 1 and single:
            raise serializers.ValidationError({name: "Give it for one file at a time." for name in single})
        return attrs


class UploadResultSerializer(serializers.Serializer[Any]):
    """What became of one file of several."""

    file = serializers.CharField(help_text="The name it was sent under.")
    status = serializers.IntegerField(help_text="201 if it was kept, else the status of the problem.")
    music = UploadedMusicSerializer(allow_null=True)
    problem = serializers.JSONField(allow_null=True, help_text="A problem document, if it was not kept.")


class UploadResultsSerializer(serializers.Serializer[Any]):
    """What became of several files, in their order."""

    results = UploadResultSerializer(many=True)
