"""Announcements as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from rest_framework import serializers

from announcements import selectors
from announcements.models import Announcement
from announcements.services import MADE_FROM, SPOKEN
from common import clock
from common.media_urls import media_url
from common.serializers import TenantSerializer, invalid

VALIDITY = ("valid_from", "valid_until")
EDITABLE = ("title", "category", "enabled", *VALIDITY, *MADE_FROM)

TEXT = {
    "trim_whitespace": False,  # what is wrong with a blank text is for the speech rules to say
    "allow_blank": True,
    "help_text": "What to speak: plain text. Tags and emoji are left out when it is spoken.",
}
VOICE = {"help_text": "The `id` of one of the voices at hand; empty: the best one for the language."}
CHIME = {"help_text": "What sounds before the words. It is a part of the sound, which a change makes anew."}
LEAD_IN = {"help_text": "How long after the start of the sound the words begin: the chime and a breath."}
LANGUAGE = {"help_text": "BCP 47, like `en-GB`; empty: told by the text's script, else English."}


class AnnouncementSerializer(TenantSerializer[Announcement]):
    """An announcement. Its chime and the words of a spoken one can be changed; it is then prepared anew."""

    playable = serializers.BooleanField(
        read_only=True,
        help_text="There is a sound to play; after a change of text or chime the earlier one until ready.",
    )
    stream_url = serializers.SerializerMethodField(help_text="For callers with an access token.")
    audio_url = serializers.SerializerMethodField(
        help_text="A signed link for `<audio>`, good for at least 24 hours, that needs no token."
    )
    created_by_name = serializers.SerializerMethodField()

    class Meta:
        model = Announcement
        fields = [
            "id",
            "client",
            "type",
            *EDITABLE,
            "status",
            "failure_code",
            "failure_detail",
            "playable",
            "spoken_by",
            "duration",
            "duration_ms",
            "lead_in_ms",
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
            "updated_at",
        ]
        read_only_fields = [name for name in fields if name not in (*EDITABLE, "client")]
        extra_kwargs = {
            "text": TEXT,
            "voice": VOICE,
            "language": LANGUAGE,
            "chime": CHIME,
            "lead_in_ms": LEAD_IN,
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Only a spoken announcement has words to change, and a sound is not replaced."""
        announcement: Any = self.instance
        if "file" in self.initial_data:
            raise invalid("file", "not_replaceable", "The sound of an announcement stays; make a new one.")
        if announcement.type != Announcement.Type.TTS:
            for name in SPOKEN:
                if name in attrs:
                    raise invalid(name, "not_spoken", "Only an announcement of type tts has this.")
        return attrs

    def get_stream_url(self, announcement: Announcement) -> str | None:
        """Where the sound is streamed from, once there is one."""
        return reverse("announcement-stream", args=[announcement.pk]) if announcement.playable else None

    def get_audio_url(self, announcement: Announcement) -> str | None:
        """A signed link, once there is a sound."""
        if not announcement.playable:
            return None
        return media_url(selectors.MEDIA_KIND, announcement.pk, announcement.sha256, now=clock.now())[0]

    def get_created_by_name(self, announcement: Announcement) -> str | None:
        """Who made it."""
        return str(announcement.created_by) if announcement.created_by else None


class SpeechSerializer(TenantSerializer[Announcement]):
    """What to speak."""

    enabled = serializers.BooleanField(default=True)

    class Meta:
        model = Announcement
        fields = ["client", "title", *MADE_FROM, "category", "enabled", *VALIDITY]
        extra_kwargs = {
            "text": TEXT | {"required": True},
            "voice": VOICE,
            "language": LANGUAGE,
            "chime": CHIME,
        }


class NewAnnouncementSerializer(TenantSerializer[Announcement]):
    """A new announcement: a sound in `file` for `uploaded` and `recorded`, words in `text` for `tts`."""

    file = serializers.FileField(required=False, allow_empty_file=True)
    enabled = serializers.BooleanField(default=True)

    class Meta:
        model = Announcement
        fields = ["client", "title", "type", "file", *MADE_FROM, "category", "enabled", *VALIDITY]
        extra_kwargs = {"text": TEXT, "voice": VOICE, "language": LANGUAGE, "chime": CHIME}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly what the type needs."""
        spoken = attrs["type"] == Announcement.Type.TTS
        needed, foreign = ("text", ["file"]) if spoken else ("file", list(SPOKEN))
        if needed not in attrs:
            raise invalid(needed, "required", f"An announcement of type {attrs['type']} needs it.")
        for name in foreign:
            if attrs.pop(name, ""):
                raise invalid(name, "not_for_type", f"An announcement of type {attrs['type']} has none.")
        return attrs


class VoiceSerializer(serializers.Serializer[Any]):
    """A voice of this server."""

    id = serializers.CharField(help_text="To be named as `voice`.")
    name = serializers.CharField(source="label")
    language = serializers.CharField(help_text="BCP 47.")
    engine = serializers.CharField()
    gender = serializers.CharField(help_text="`female`, `male`, or empty when unknown.")
    quality = serializers.IntegerField(help_text="0 to 100, by ear and repute.")
