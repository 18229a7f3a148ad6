"""A floor's timeline as the API shows it. Instants are ISO 8601 UTC, lengths ms."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common import clock
from events.domain import ledger
from plans.timeline import Item
from zones.domain import from_us, load_zone

OUTCOMES = ["plays", "suppressed", "dropped", "sounding", "completed", "failed"]


class InstantField(serializers.DateTimeField):
    """µs UTC as an instant."""

    def to_representation(self, value: Any) -> Any:
        """ISO 8601."""
        return super().to_representation(clock.from_us(value))


class TimelineSegmentSerializer(serializers.Serializer[Any]):
    """A stretch of the programme; neighbours overlap by their crossfade."""

    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=["music", "announcement"])
    starts_at = InstantField(source="start_at")
    ends_at = InstantField(source="end_at")
    offset_ms = serializers.IntegerField(help_text="Where in the sound it starts.")
    music_file = serializers.IntegerField(source="music_id", allow_null=True)
    announcement = serializers.IntegerField(source="announcement_id", allow_null=True)
    playlist = serializers.IntegerField(source="playlist_id", allow_null=True)
    title = serializers.CharField()
    artist = serializers.CharField()


class SilenceSerializer(serializers.Serializer[Any]):
    """A span in which the floor is silent."""

    starts_at = InstantField(source="start_at")
    ends_at = InstantField(source="end_at")
    reason = serializers.ChoiceField(choices=["quiet_hours", "stopped", "client_locked"])


class TimelineItemSerializer(serializers.Serializer[Any]):
    """An announcement on some devices of the floor, and what became or becomes of it there."""

    play_id = serializers.UUIDField()
    at = InstantField(help_text="When it is due.")
    local_time = serializers.SerializerMethodField()
    priority = serializers.ChoiceField(choices=ledger.PRIORITY_CHOICES)
    announcement = serializers.IntegerField(allow_null=True)
    title = serializers.CharField()
    duration_ms = serializers.SerializerMethodField()
    schedule = serializers.IntegerField(allow_null=True)
    schedule_name = serializers.SerializerMethodField()
    outcome = serializers.ChoiceField(choices=OUTCOMES)
    reason = serializers.CharField(help_text="Why it is not, or was not, heard; stable.")
    message = serializers.SerializerMethodField(help_text="The reason as a sentence.")
    by = serializers.UUIDField(allow_null=True, help_text="The play that stands in its way.")
    starts_at = InstantField(allow_null=True, help_text="Later than `at` where it waits for another.")
    ends_at = InstantField(allow_null=True)
    devices = serializers.ListField(child=serializers.IntegerField())

    def get_local_time(self, item: Item) -> str:
        """On the floor's wall clock, with its offset."""
        return from_us(item.at, load_zone(self.context["zone"])).isoformat()

    def get_duration_ms(self, item: Item) -> int:
        """Length of the sound."""
        return item.duration_us // 1000

    def get_schedule_name(self, item: Item) -> str | None:
        """Of the schedule that fires it."""
        names: dict[int, str] = self.context["schedules"]
        return None if item.schedule is None else names.get(item.schedule)

    def get_message(self, item: Item) -> str:
        """The sentence of the reason."""
        return ledger.REASONS.get(item.reason, "")


class TimelineSerializer(serializers.Serializer[Any]):
    """What a floor sounds in a window."""

    floor = serializers.IntegerField(source="floor.pk")
    timezone = serializers.CharField(source="floor.zone")
    to = serializers.DateTimeField()
    segments = TimelineSegmentSerializer(many=True, source="timeline.segments")
    announcements = serializers.SerializerMethodField()
    silences = SilenceSerializer(many=True, source="timeline.silences")

    def get_fields(self) -> dict[str, Any]:
        """With `from`, which Python does not let stand as a name."""
        return {"from": serializers.DateTimeField(source="start")} | super().get_fields()

    @extend_schema_field(TimelineItemSerializer(many=True))
    def get_announcements(self, answer: dict[str, Any]) -> list[dict[str, Any]]:
        """In order of the instants at which they are due."""
        timeline = answer["timeline"]
        context = {"zone": answer["floor"].zone, "schedules": timeline.schedules}
        items: list[dict[str, Any]] = list(
            TimelineItemSerializer(timeline.items, many=True, context=context).data
        )
        return items
