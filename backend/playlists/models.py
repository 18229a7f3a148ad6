"""Channel playlists, where they are assigned, and the programmes of the floors that are made of them."""

from __future__ import annotations

from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from audit.services import audited
from common.stamps import new_stamp
from common.tenancy import Scope, TenantManager, TenantQuerySet

LONGEST_INTERVAL = 1440
"""Minutes. Intervals are counted from a local day's midnight, so none is longer than a day."""
INTERVAL = [MinValueValidator(1), MaxValueValidator(LONGEST_INTERVAL)]
FARTHEST_PRIORITY = 1000
PRIORITY = [MinValueValidator(-FARTHEST_PRIORITY), MaxValueValidator(FARTHEST_PRIORITY)]


class ChannelPlaylistQuerySet(TenantQuerySet["ChannelPlaylist"]):
    """Playlists; a floor user sees those that are assigned to their own floor."""

    def visible_in(self, scope: Scope) -> Self:
        """The rows that `scope` shows, each once, however many floors it is assigned to."""
        visible = super().visible_in(scope)
        if scope.nothing or not scope.floor_bound:
            return visible
        if scope.floor_id is None:
            return self.none()
        assigned = ChannelPlaylistFloor._base_manager.filter(floor_id=scope.floor_id)
        return visible.filter(pk__in=assigned.values("playlist_id"))


@audited("channel_playlist", ignore=("updated_at",))
class ChannelPlaylist(models.Model):
    """Music and announcements that a floor plays as one timeline, like a radio station.

    The default intervals are minutes: a music item's is the least time before the same track may start again
    while another is free, an announcement item's how often it comes due. In its quiet hours, `[start, end)` on
    the floor's own clock, the playlist is off.
    """

    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    client = models.ForeignKey("clients.Client", on_delete=models.CASCADE, related_name="channel_playlists")

    default_music_interval = models.IntegerField(
        default=5, validators=[MinValueValidator(0), MaxValueValidator(LONGEST_INTERVAL)]
    )
    default_announcement_interval = models.IntegerField(default=15, validators=INTERVAL)
    shuffle_music = models.BooleanField(default=True)
    shuffle_announcements = models.BooleanField(default=False)

    quiet_hours_start = models.TimeField(null=True, blank=True)
    quiet_hours_end = models.TimeField(null=True, blank=True)

    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey("users.User", on_delete=models.SET_NULL, null=True, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantManager.from_queryset(ChannelPlaylistQuerySet)()

    class Meta:
        db_table = "channel_playlists"
        ordering = ["name", "pk"]
        indexes = [models.Index(fields=["client", "name"], name="channel_playlist_name")]
        constraints = [
            models.CheckConstraint(
                condition=Q(default_music_interval__gte=0, default_announcement_interval__gte=1),
                name="channel_playlist_intervals",
            ),
            models.CheckConstraint(
                condition=Q(quiet_hours_start__isnull=True, quiet_hours_end__isnull=True)
                | (
                    Q(quiet_hours_start__isnull=False, quiet_hours_end__isnull=False)
                    & ~Q(quiet_hours_start=F("quiet_hours_end"))
                ),
                name="channel_playlist_quiet_hours_both_or_neither",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ItemQuerySet(TenantQuerySet["ChannelPlaylistItem"]):
    """Items are seen with their playlist."""

    client_path = "playlist__client_id"


class ChannelPlaylistItem(models.Model):
    """A track or an announcement of a playlist, each at most once. `interval_minutes`: None for the default.

    The playlist's own entries in the audit trail hold its list; an entry for each item would bury the rest.
    """

    class Type(models.TextChoices):
        """What the item is; it has exactly that reference."""

        MUSIC = "music", "Music"
        ANNOUNCEMENT = "announcement", "Announcement"

    playlist = models.ForeignKey(ChannelPlaylist, on_delete=models.CASCADE, related_name="items")
    item_type = models.CharField(max_length=20, choices=Type.choices)
    music_file = models.ForeignKey(
        "music.MusicFile", on_delete=models.CASCADE, null=True, blank=True, related_name="playlist_items"
    )
    announcement = models.ForeignKey(
        "announcements.Announcement",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="playlist_items",
    )
    interval_minutes = models.IntegerField(null=True, blank=True, validators=INTERVAL)
    order = models.IntegerField(default=0)

    objects = TenantManager.from_queryset(ItemQuerySet)()

    class Meta:
        db_table = "channel_playlist_items"
        ordering = ["order", "pk"]
        indexes = [models.Index(fields=["playlist", "order"], name="channel_playlist_item_order")]
        constraints = [
            models.CheckConstraint(
                condition=Q(item_type="music", music_file__isnull=False, announcement__isnull=True)
                | Q(item_type="announcement", music_file__isnull=True, announcement__isnull=False),
                name="channel_playlist_item_has_what_it_is",
            ),
            models.CheckConstraint(
                condition=Q(interval_minutes__isnull=True) | Q(interval_minutes__gte=1),
                name="channel_playlist_item_interval",
            ),
            models.UniqueConstraint(fields=["playlist", "music_file"], name="channel_playlist_music_once"),
            models.UniqueConstraint(
                fields=["playlist", "announcement"], name="channel_playlist_announcement_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_type} {self.music_file_id or self.announcement_id} of {self.playlist_id}"


class FloorBoundQuerySet(TenantQuerySet["models.Model"]):
    """What belongs to one floor."""

    client_path = "floor__client_id"
    floor_path = "floor_id"


class ChannelPlaylistFloor(models.Model):
    """A playlist on a floor. Of several that are on, the greatest `priority` plays; of equals the oldest."""

    playlist = models.ForeignKey(ChannelPlaylist, on_delete=models.CASCADE, related_name="assignments")
    floor = models.ForeignKey("zones.Floor", on_delete=models.CASCADE, related_name="playlist_assignments")
    priority = models.IntegerField(default=0, validators=PRIORITY)

    objects = TenantManager.from_queryset(FloorBoundQuerySet)()

    class Meta:
        db_table = "channel_playlist_floors"
        ordering = ["-priority", "playlist_id"]
        unique_together = [("playlist", "floor")]

    def __str__(self) -> str:
        return f"playlist {self.playlist_id} on floor {self.floor_id}"


class FloorProgramme(models.Model):
    """What the tick has to do for a floor's programme; see `playlists.renewal` and `playlists.airing`.

    `stale`: the rows it is made of have changed. `look_again_at`: a sound in it was not ready, so it is read
    again then. `announcements_from`: every announcement of the programme that starts before this instant has
    its rows in the ledger; None while the programme has no announcements. `stamp` is another one after each change
    of the rows, or of a sound of the business.
    """

    floor = models.OneToOneField(
        "zones.Floor", on_delete=models.CASCADE, primary_key=True, related_name="programme"
    )
    stale = models.BooleanField(default=True)
    look_again_at = models.DateTimeField(null=True, blank=True)
    announcements_from = models.DateTimeField(null=True, blank=True)
    stamp = models.BigIntegerField(default=new_stamp, db_default=0, editable=False)

    objects = TenantManager.from_queryset(FloorBoundQuerySet)()

    class Meta:
        db_table = "floor_programmes"
        indexes = [
            models.Index(fields=["floor"], condition=Q(stale=True), name="floor_programme_stale"),
            models.Index(
                fields=["look_again_at"],
                condition=Q(look_again_at__isnull=False),
                name="floor_programme_look_again",
            ),
            models.Index(
                fields=["announcements_from"],
                condition=Q(announcements_from__isnull=False),
                name="floor_programme_announcements",
            ),
        ]

    def __str__(self) -> str:
        return f"programme of floor {self.floor_id}"


class ProgrammeRevision(models.Model):
    """What a floor's programme was made of from `effective_at` on, until a newer revision takes effect.

    Kept, because the change from one to the next lies at a boundary of the older one's segments, and because a
    device that was offline may have played by an older one. `content` is `playlists.content.Content` as JSON.
    """

    floor = models.ForeignKey("zones.Floor", on_delete=models.CASCADE, related_name="programme_revisions")
    effective_at = models.DateTimeField()
    content = models.TextField()
    created_at = models.DateTimeField()

    objects = TenantManager.from_queryset(FloorBoundQuerySet)()

    class Meta:
        db_table = "programme_revisions"
        ordering = ["pk"]
        indexes = [models.Index(fields=["floor", "-id"], name="programme_revision_newest")]

    def __str__(self) -> str:
        return f"programme of floor {self.floor_id} from {self.effective_at:%Y-%m-%d %H:%M:%S}"


class MusicPlayQuerySet(TenantQuerySet["MusicPlay"]):
    """What was heard, of the whole business."""

    floor_path = "floor_id"


class MusicPlay(models.Model):
    """A track that sounded on one device without a break, by the device's own reports: the licence log.

    Names are those of that time, kept for when the rows are gone. It was heard from `started_at` to `heard_until`;
    `sounding` while it may still go on. `report_id`: the device's own report of it; None where it was told from the
    status of a device that sends no reports.
    """

    client = models.ForeignKey("clients.Client", on_delete=models.CASCADE, related_name="music_plays")
    device = models.ForeignKey("devices.Device", on_delete=models.SET_NULL, null=True, related_name="+")
    device_name = models.CharField(max_length=255)
    floor = models.ForeignKey("zones.Floor", on_delete=models.SET_NULL, null=True, related_name="+")
    floor_name = models.CharField(max_length=255, blank=True)
    music_file = models.ForeignKey("music.MusicFile", on_delete=models.SET_NULL, null=True, related_name="+")
    title = models.CharField(max_length=255)
    artist = models.CharField(max_length=255, blank=True)
    album = models.CharField(max_length=255, blank=True)
    isrc = models.CharField(max_length=12, blank=True)

    segment = models.CharField(max_length=64)
    started_at = models.DateTimeField()
    heard_until = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    sounding = models.BooleanField(default=True)
    report_id = models.UUIDField(null=True, blank=True)

    objects = TenantManager.from_queryset(MusicPlayQuerySet)()

    class Meta:
        db_table = "music_plays"
        ordering = ["started_at", "pk"]
        indexes = [
            models.Index(fields=["client", "started_at", "id"], name="music_play_month"),
            models.Index(fields=["device", "-id"], name="music_play_newest"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["device", "report_id"], name="music_play_reported_once"),
        ]

    def __str__(self) -> str:
        return f"{self.title} on {self.device_name}"
