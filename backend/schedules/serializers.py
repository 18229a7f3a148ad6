"""Schedules in bodies and answers."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from announcements.models import Announcement
from common.serializers import TenantRelatedField, TenantSerializer, invalid
from devices.models import Device
from events.domain import ledger
from events.models import PlayEvent
from playlists.serializers import LookedUpTogether, SharedField
from schedules.models import FloorStop, Schedule, ScheduleAnnouncement, ScheduleException
from schedules.services import DaysOff, Parts
from schedules.validation import Entry
from zones.models import Floor

MOST_ANNOUNCEMENTS = 500
MOST_EXCEPTIONS = 400


class EntrySerializer(serializers.ModelSerializer[ScheduleAnnouncement]):
    """An announcement of a schedule; on a timeline at a second of the cycle."""

    announcement = SharedField(queryset=Announcement._base_manager)
    timestamp_seconds = serializers.IntegerField(
        min_value=0, required=False, allow_null=True, help_text="From the cycle's start; timelines only."
    )
    order = serializers.IntegerField(
        required=False, help_text="The list is sorted by it where it is given; it is then its place from 0."
    )
    title = serializers.CharField(source="announcement.title", read_only=True)
    duration_ms = serializers.IntegerField(source="announcement.duration_ms", read_only=True)
    playable = serializers.SerializerMethodField(help_text="Whether it is switched on and has a sound.")

    class Meta:
        model = ScheduleAnnouncement
        list_serializer_class = LookedUpTogether
        fields = ["id", "announcement", "timestamp_seconds", "order", "title", "duration_ms", "playable"]

    def get_playable(self, entry: ScheduleAnnouncement) -> bool:
        """Whether nothing stands in its way; its validity is told by the occurrences."""
        return entry.announcement.enabled and entry.announcement.playable


class ExceptionSerializer(serializers.ModelSerializer[ScheduleException]):
    """Local dates without the schedule, both included; without an `end` the one date."""

    start = serializers.DateField(source="first_date")
    end = serializers.DateField(source="last_date", required=False)

    class Meta:
        model = ScheduleException
        fields = ["start", "end", "note"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """In order, and whole."""
        attrs.setdefault("last_date", attrs["first_date"])
        if attrs["last_date"] < attrs["first_date"]:
            raise invalid("end", "before_start", "The end lies before the start.")
        return attrs


class ScheduleSerializer(TenantSerializer[Schedule]):
    """A schedule with its lists. In a body each list is the whole list; one that is left out stays as it is."""

    active_days = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=7),
        required=False,
        max_length=7,
        help_text="ISO weekdays, 1 Monday to 7 Sunday; empty: every day.",
    )
    # `many` makes a list of it, which has a length.
    schedule_announcements = EntrySerializer(many=True, required=False, max_length=MOST_ANNOUNCEMENTS)  # type: ignore[call-arg]  # see above
    exceptions = ExceptionSerializer(many=True, required=False, max_length=MOST_EXCEPTIONS)  # type: ignore[call-arg]  # see above
    devices: Any = TenantRelatedField(queryset=Device._base_manager, many=True, required=False)
    floors: Any = TenantRelatedField(
        queryset=Floor._base_manager,
        many=True,
        required=False,
        help_text="All devices of these floors, also those that are hung up later.",
    )
    created_by_name = serializers.CharField(source="created_by", read_only=True, allow_null=True)

    class Meta:
        model = Schedule
        fields = [
            "id",
            "client",
            "name",
            "schedule_type",
            "enabled",
            "interval_minutes",
            "avoid_repeat",
            "cycle_duration_minutes",
            "quiet_hours_start",
            "quiet_hours_end",
            "active_days",
            "schedule_announcements",
            "devices",
            "floors",
            "exceptions",
            "created_at",
            "created_by",
            "created_by_name",
            "updated_at",
        ]
        read_only_fields = ["created_at", "created_by", "updated_at"]

    def validate_active_days(self, days: list[int]) -> list[int]:
        """Each once, in order."""
        if len(set(days)) < len(days):
            raise serializers.ValidationError("A day is named twice.", code="duplicate")
        return sorted(days)

    def validate_schedule_announcements(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """In their order: by `order` where it is given, else as they stand in the list."""
        places = {id(entry): place for place, entry in enumerate(entries)}
        return sorted(entries, key=lambda entry: entry.get("order", places[id(entry)]))

    def wanted(self) -> dict[str, Any]:
        """The validated values as the services take them."""
        values = dict(self.validated_data)
        entries, exceptions = values.pop("schedule_announcements", None), values.pop("exceptions", None)
        return values | {
            "parts": Parts(
                entries=None
                if entries is None
                else [Entry(each["announcement"], each.get("timestamp_seconds")) for each in entries],
                devices=values.pop("devices", None),
                floors=values.pop("floors", None),
                exceptions=None
                if exceptions is None
                else [
                    DaysOff(each["first_date"], each["last_date"], each.get("note", ""))
                    for each in exceptions
                ],
            )
        }


class OutcomeSerializer(serializers.ModelSerializer[PlayEvent]):
    """What became of an occurrence on one device."""

    message = serializers.SerializerMethodField(help_text="The reason as a sentence.")

    class Meta:
        model = PlayEvent
        fields = ["id", "device", "device_name", "status", "reason", "message", "started_at", "played_ms"]

    def get_message(self, event: PlayEvent) -> str:
        """As the event tells it, with what the device said."""
        return event.error_message or ledger.REASONS.get(event.reason, "")


class OccurrenceSerializer(serializers.Serializer[Any]):
    """One occurrence where one thing holds for it; where another does, it has an entry of its own."""

    at = serializers.DateTimeField()
    local_time = serializers.CharField(help_text="On the wall clock of `timezone`, with its offset.")
    timezone = serializers.CharField()
    announcement = serializers.IntegerField(allow_null=True)
    announcement_title = serializers.CharField()
    outcome = serializers.ChoiceField(choices=["due", "suppressed"])
    reason = serializers.CharField(help_text="Why it is suppressed; stable.")
    message = serializers.CharField(help_text="The reason as a sentence.")
    by = serializers.IntegerField(
        allow_null=True, help_text="For `least_gap`: the schedule that came too near."
    )
    floors = serializers.ListField(child=serializers.IntegerField())
    devices = serializers.ListField(child=serializers.IntegerField())
    plays = OutcomeSerializer(many=True, help_text="What is on the record, for each device.")


class OccurrencesSerializer(serializers.Serializer[Any]):
    """The occurrences of a schedule in a window."""

    to = serializers.DateTimeField()
    next_from = serializers.DateTimeField(allow_null=True, help_text="Ask on from here; null: that is all.")
    occurrences = OccurrenceSerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        """With `from`, which Python does not let stand as a name."""
        return {"from": serializers.DateTimeField(source="start")} | super().get_fields()


class NextSerializer(serializers.Serializer[Any]):
    """The next time that a schedule is to be heard, wherever it comes first; null: it is off, or never is."""

    schedule = serializers.IntegerField()
    at = serializers.DateTimeField(allow_null=True)
    local_time = serializers.CharField(
        allow_null=True, help_text="On the wall clock of `timezone`, with its offset."
    )
    timezone = serializers.CharField(allow_null=True)


class ScheduleDraftSerializer(ScheduleSerializer):
    """A schedule as it is typed. What is not there yet is left out."""

    name = serializers.CharField(max_length=255, required=False, allow_blank=True)
    replaces: Any = TenantRelatedField(
        queryset=Schedule._base_manager,
        required=False,
        allow_null=True,
        help_text="The schedule that is being changed.",
    )

    class Meta(ScheduleSerializer.Meta):
        fields = [
            *(name for name in ScheduleSerializer.Meta.fields if name not in {"id", "enabled"}),
            "replaces",
        ]

    def draft(self) -> tuple[Schedule, Parts]:
        """The validated values as an unsaved row and its lists."""
        values = self.wanted()
        parts, replaced = values.pop("parts"), values.pop("replaces", None)
        values["name"] = values.get("name") or "-"
        return Schedule(pk=replaced.pk if replaced else 0, **values), parts


class LeftOutSerializer(serializers.Serializer[Any]):
    """How many instants are not to be heard, and why."""

    reason = serializers.CharField(help_text="Stable.")
    message = serializers.CharField(help_text="The reason as a sentence.")
    number = serializers.IntegerField()


class ForeseenSerializer(serializers.Serializer[Any]):
    """What a schedule that is not saved would do from now on."""

    until = serializers.DateTimeField(help_text="So far it was looked ahead.")
    occurrences = OccurrenceSerializer(many=True)
    left_out = LeftOutSerializer(many=True)


class StopSerializer(serializers.Serializer[Any]):
    """How long a floor is to be silent."""

    until = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="Null: until it is lifted."
    )


class FloorStopSerializer(serializers.ModelSerializer[FloorStop]):
    """A stop of a floor."""

    created_by_name = serializers.CharField(source="created_by", read_only=True, allow_null=True)

    class Meta:
        model = FloorStop
        fields = ["id", "floor", "starts_at", "until", "created_by", "created_by_name"]
        read_only_fields = fields


class ResumedSerializer(serializers.Serializer[Any]):
    """Whether there was a stop to be lifted."""

    resumed = serializers.BooleanField()
