"""Channel playlists in bodies and answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from announcements.models import Announcement
from common.media_fields import Readiness
from common.serializers import TenantRelatedField, TenantSerializer, invalid
from music.models import MusicFile
from playlists.models import (
    FARTHEST_PRIORITY,
    LONGEST_INTERVAL,
    ChannelPlaylist,
    ChannelPlaylistFloor,
    ChannelPlaylistItem,
)
from playlists.services import MOST_ITEMS, Assignment, Entry
from zones.models import Floor


class LookedUpTogether(serializers.ListSerializer[Any]):
    """A list of objects whose references are read by one query for each kind, not one for each element."""

    def to_internal_value(self, data: Any) -> Any:
        """The validated elements."""
        child: Any = self.child
        for name, field in child.fields.items():
            if isinstance(field, SharedField):
                field.look_up(_named(data, name))
        return super().to_internal_value(data)


def _named(data: Any, name: str) -> Iterator[Any]:
    """What the elements of an unchecked list say under `name`."""
    for element in data if isinstance(data, list) else ():
        if isinstance(element, Mapping) and element.get(name) is not None:
            yield element[name]


class SharedField(TenantRelatedField[Any]):
    """A reference inside a list; the rows of the whole list were looked up before."""

    found: Mapping[Any, Any] = {}

    def look_up(self, values: Iterator[Any]) -> None:
        """Reads all rows that `values` name, in the scope of this request."""
        keys = set()
        for value in values:
            try:
                keys.add(self.to_key(value))
            except serializers.ValidationError:  # told at its place, when its turn comes
                continue
        self.found = self.get_queryset().in_bulk(keys)

    def to_internal_value(self, data: Any) -> Any:
        """The row with this id."""
        row = self.found.get(self.to_key(data))
        return row if row is not None else self.fail("does_not_exist", pk_value=data)


class ItemSerializer(serializers.ModelSerializer[ChannelPlaylistItem]):
    """A track or an announcement of a playlist. In a body one of `music_file` and `announcement` is enough."""

    item_type = serializers.ChoiceField(
        choices=ChannelPlaylistItem.Type.choices, required=False, help_text="Else told from the reference."
    )
    music_file = SharedField(queryset=MusicFile._base_manager, required=False, allow_null=True)
    announcement = SharedField(queryset=Announcement._base_manager, required=False, allow_null=True)
    interval_minutes = serializers.IntegerField(
        min_value=1,
        max_value=LONGEST_INTERVAL,
        required=False,
        allow_null=True,
        help_text="An announcement: how often it comes due. A track: the least time before it starts again."
        " Null: the playlist's default.",
    )
    order = serializers.IntegerField(
        required=False, help_text="Items are sorted by it where it is given; it is then their place from 0."
    )
    title = serializers.SerializerMethodField()
    artist = serializers.SerializerMethodField()
    duration_ms = serializers.SerializerMethodField()
    playable = serializers.SerializerMethodField(help_text="Whether it is part of the programme.")
    why_not = serializers.SerializerMethodField(
        help_text="Why it is not: `generating`, `processing`, `failed` or `disabled`; it is skipped until then."
    )

    class Meta:
        model = ChannelPlaylistItem
        list_serializer_class = LookedUpTogether
        fields = [
            "id",
            "item_type",
            "music_file",
            "announcement",
            "interval_minutes",
            "order",
            "title",
            "artist",
            "duration_ms",
            "playable",
            "why_not",
        ]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One reference, of the type that is said."""
        given = [name for name in ("music_file", "announcement") if attrs.get(name) is not None]
        if len(given) != 1:
            raise serializers.ValidationError(
                "Give the id of a music_file or of an announcement.", code="one_reference"
            )
        said, found = attrs.get("item_type"), given[0].removesuffix("_file")
        if said not in (None, found):
            raise invalid("item_type", "other_type", f"It says {said}, but the reference is to {given[0]}.")
        return attrs

    def get_title(self, item: ChannelPlaylistItem) -> str:
        """The sound's name."""
        return str(item.music_file or item.announcement)

    def get_artist(self, item: ChannelPlaylistItem) -> str:
        """The track's artist."""
        return item.music_file.artist if item.music_file else ""

    def get_duration_ms(self, item: ChannelPlaylistItem) -> int:
        """Length of the sound."""
        sound: Any = item.music_file or item.announcement
        return int(sound.duration_ms)

    def get_playable(self, item: ChannelPlaylistItem) -> bool:
        """Whether nothing stands in its way."""
        return not self.get_why_not(item)

    def get_why_not(self, item: ChannelPlaylistItem) -> str:
        """What stands in its way."""
        if item.announcement is not None:
            if not item.announcement.enabled:
                return "disabled"
            return "" if item.announcement.playable else str(item.announcement.status)
        ready = item.music_file is not None and item.music_file.status == Readiness.READY
        return "" if ready or item.music_file is None else str(item.music_file.status)


class AssignedFloorSerializer(serializers.ModelSerializer[ChannelPlaylistFloor]):
    """A floor that has the playlist."""

    id = serializers.IntegerField(source="floor_id", read_only=True)
    name = serializers.CharField(source="floor.name", read_only=True)

    class Meta:
        model = ChannelPlaylistFloor
        fields = ["id", "name", "priority"]


class ChannelPlaylistSerializer(TenantSerializer[ChannelPlaylist]):
    """A channel playlist, without its items. Intervals are minutes."""

    floors = AssignedFloorSerializer(source="assignments", many=True, read_only=True)
    items_count = serializers.IntegerField(read_only=True)
    music_count = serializers.IntegerField(read_only=True)
    announcement_count = serializers.IntegerField(read_only=True)
    music_duration = serializers.SerializerMethodField(help_text="Of all its tracks together, in seconds.")
    created_by_name = serializers.CharField(source="created_by", read_only=True, allow_null=True)

    class Meta:
        model = ChannelPlaylist
        fields = [
            "id",
            "client",
            "name",
            "description",
            "default_music_interval",
            "default_announcement_interval",
            "shuffle_music",
            "shuffle_announcements",
            "quiet_hours_start",
            "quiet_hours_end",
            "enabled",
            "floors",
            "items_count",
            "music_count",
            "announcement_count",
            "music_duration",
            "created_at",
            "created_by",
            "created_by_name",
            "updated_at",
        ]
        read_only_fields = ["created_at", "created_by", "updated_at"]

    def get_music_duration(self, playlist: ChannelPlaylist) -> int:
        """The tracks' length, rounded to seconds."""
        milliseconds: int = getattr(playlist, "music_ms", 0)
        return (milliseconds + 500) // 1000


class ChannelPlaylistDetailSerializer(ChannelPlaylistSerializer):
    """A channel playlist with its items in order. In a body `items` is the whole list; what stays keeps its id."""

    # `many` makes a list of it, which has a length.
    items = ItemSerializer(many=True, required=False, max_length=MOST_ITEMS)  # type: ignore[call-arg]  # see above

    class Meta(ChannelPlaylistSerializer.Meta):
        fields = [*ChannelPlaylistSerializer.Meta.fields, "items"]

    def validate_items(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """In their order: by `order` where it is given, else as they stand in the list."""
        places = {id(item): place for place, item in enumerate(items)}
        return sorted(items, key=lambda item: item.get("order", places[id(item)]))

    def wanted(self) -> dict[str, Any]:
        """The validated values as the services take them."""
        values = dict(self.validated_data)
        if "items" in values:
            values["items"] = [
                Entry(item.get("music_file") or item["announcement"], item.get("interval_minutes"))
                for item in values["items"]
            ]
        return values


class ReorderSerializer(serializers.Serializer[Any]):
    """All items of a playlist in their new order."""

    items = serializers.ListField(child=serializers.IntegerField(), max_length=MOST_ITEMS)


class AssignmentSerializer(serializers.Serializer[Any]):
    """A floor, by its id alone or with the playlist's priority there."""

    floor = SharedField(queryset=Floor._base_manager)
    priority = serializers.IntegerField(
        min_value=-FARTHEST_PRIORITY,
        max_value=FARTHEST_PRIORITY,
        default=0,
        help_text="Of several playlists on a floor, the greatest that is on plays.",
    )

    class Meta:
        list_serializer_class = LookedUpTogether


@extend_schema_field(
    {
        "type": "array",
        "items": {
            "oneOf": [
                {"type": "integer"},
                {
                    "type": "object",
                    "properties": {
                        "floor": {"type": "integer"},
                        "priority": {
                            "type": "integer",
                            "minimum": -FARTHEST_PRIORITY,
                            "maximum": FARTHEST_PRIORITY,
                        },
                    },
                    "required": ["floor"],
                },
            ]
        },
    }
)
class AssignmentsField(LookedUpTogether):
    """Floors by their ids, or with priorities."""

    def to_internal_value(self, data: Any) -> Any:
        """The validated assignments."""
        given = data if isinstance(data, list) else [data]
        return super().to_internal_value(
            [element if isinstance(element, Mapping) else {"floor": element} for element in given]
        )


class AssignFloorsSerializer(serializers.Serializer[Any]):
    """The floors of a playlist: the whole assignment. An empty list takes it off all floors."""

    floors = AssignmentsField(child=AssignmentSerializer())

    def wanted(self) -> list[Assignment]:
        """The assignments as the service takes them."""
        return [Assignment(one["floor"], one["priority"]) for one in self.validated_data["floors"]]
