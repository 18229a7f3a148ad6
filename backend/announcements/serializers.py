"""Announcements as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from announcements import selectors
from announcements.drafting import LONGEST_PREVIEW
from announcements.models import Announcement
from announcements.services import MADE_FROM, SPOKEN
from announcements.speaking import provider_of
from announcements.speech.values import Voice
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
VOICE = {"help_text": "The `id` of one of the voices on offer; empty: whoever is first in sync2gear's order."}
CHIME = {"help_text": "What sounds before the words. It is a part of the sound, which a change makes anew."}
LEAD_IN = {"help_text": "How long after the start of the sound the words begin: the chime and a breath."}
LANGUAGE = {"help_text": "BCP 47, like `en-GB`; empty: told by the text's script, else English."}


class PassedOverSerializer(serializers.Serializer[Any]):
    """Who should have spoken, and why not."""

    provider = serializers.CharField(help_text="The account's name; `local`: this server.")
    code = serializers.CharField(
        help_text="`unavailable`, `timed_out`, `rate_limited`, `resting`, `daily_limit`, `out_of_credits`, …"
    )


class SpeechRecordSerializer(serializers.Serializer[Any]):
    """Who spoke, and what it cost."""

    kind = serializers.CharField(help_text="The provider, or `local`: a voice of this server, which is free.")
    provider = serializers.CharField(help_text="The name of sync2gear's account there; empty for `local`.")
    model = serializers.CharField()
    voice = serializers.CharField(help_text="The `id` of the voice that spoke.")
    cost_usd = serializers.CharField(help_text="What sync2gear paid for it; 0 from the cache.")
    credits = serializers.IntegerField(help_text="What the business paid for it.")
    cached = serializers.BooleanField(help_text="The same words by the same voice were there already.")
    fallback = serializers.BooleanField(help_text="It was not the first choice: see `passed_over`.")
    passed_over = PassedOverSerializer(many=True)


class AnnouncementSerializer(TenantSerializer[Announcement]):
    """An announcement. Its chime and the words of a spoken one can be changed; it is then prepared anew."""

    playable = serializers.BooleanField(
        read_only=True,
        help_text="There is a sound to play; after a change of text or chime the earlier one until ready.",
    )
    speech = serializers.SerializerMethodField(help_text="Who spoke it; null until somebody has.")
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
            "speech",
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

    @extend_schema_field(SpeechRecordSerializer(allow_null=True))
    def get_speech(self, announcement: Announcement) -> Any:
        """The record of the sound there is."""
        return announcement.speech

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


class PreviewAskedSerializer(TenantSerializer[Announcement]):
    """Some words to hear a voice by."""

    class Meta:
        model = Announcement
        fields = ["client", "text", "voice", "language"]
        extra_kwargs = {
            "text": TEXT | {"required": True, "max_length": LONGEST_PREVIEW},
            "voice": VOICE,
            "language": LANGUAGE,
        }


class PreviewSerializer(serializers.Serializer[Any]):
    """Speech to listen to. It is no announcement, and goes when it is not used."""

    audio_url = serializers.CharField(help_text="A signed link for `<audio>` that needs no token.")
    expires_at = serializers.DateTimeField()
    duration_ms = serializers.IntegerField()
    mime_type = serializers.CharField()
    speech = SpeechRecordSerializer()


class DraftAskedSerializer(TenantSerializer[Announcement]):
    """What the announcement is to say."""

    purpose = serializers.CharField(max_length=500, help_text="What customers should hear about.")
    tone = serializers.CharField(max_length=100, default="friendly")
    language = serializers.RegexField(
        r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$", max_length=35, default="en", help_text="BCP 47."
    )
    max_seconds = serializers.IntegerField(min_value=5, max_value=120, default=20)

    class Meta:
        model = Announcement
        fields = ["client", "purpose", "tone", "language", "max_seconds"]


class DraftSerializer(serializers.Serializer[Any]):
    """Copy to read, change and have spoken."""

    text = serializers.CharField()
    estimated_seconds = serializers.FloatField(help_text="At 150 words a minute.")
    language = serializers.CharField()
    provider = serializers.CharField(help_text="The name of sync2gear's account there.")
    kind = serializers.CharField(help_text="The provider.")
    model = serializers.CharField()
    cost_usd = serializers.DecimalField(max_digits=18, decimal_places=6)
    credits = serializers.IntegerField(help_text="What it cost the business.")
    shortened = serializers.BooleanField(help_text="Its last sentences did not fit and were left out.")


class VoiceSerializer(serializers.Serializer[Any]):
    """A voice of a provider or of this server."""

    id = serializers.CharField(help_text="To be named as `voice`.")
    name = serializers.CharField(source="label")
    language = serializers.CharField(help_text="BCP 47; `mul`: any.")
    engine = serializers.CharField(help_text="A provider, or a program of this server.")
    free = serializers.SerializerMethodField(help_text="Costs no AI credits.")
    gender = serializers.CharField(help_text="`female`, `male`, or empty when unknown.")
    quality = serializers.IntegerField(help_text="0 to 100, by ear and repute.")

    def get_free(self, voice: Voice) -> bool:
        """Whether it is one of this server's."""
        return not provider_of(voice.id)
