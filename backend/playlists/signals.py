"""What changes a programme from below: its floor, the zone of its business, its sounds."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save, pre_delete
from django.dispatch import receiver

from announcements.models import Announcement
from clients.models import Client
from common.tenancy import system_scope
from music.models import MusicFile
from playlists.renewal import changed, floors_playing, sound_changed
from zones.models import Floor


@receiver(post_save, sender=Floor, dispatch_uid="playlists-floor-saved")
def floor_saved(sender: Any, instance: Floor, raw: bool = False, **kwargs: Any) -> None:
    """Quiet hours or zone of the floor may be others."""
    if not raw:
        changed(floors=[instance.pk])


@receiver(post_save, sender=Client, dispatch_uid="playlists-client-saved")
def client_saved(sender: Any, instance: Client, raw: bool = False, **kwargs: Any) -> None:
    """The zone in which the floors' clocks are read may be another."""
    if not raw:
        with system_scope("the floors of one business"):
            changed(floors=Floor.objects.filter(client=instance).values_list("pk", flat=True))


@receiver(post_save, sender=Announcement, dispatch_uid="playlists-announcement-saved")
def announcement_saved(
    sender: Any, instance: Announcement, created: bool, raw: bool = False, **kwargs: Any
) -> None:
    """It may have been switched on or off, or have another sound or title."""
    if not raw and not created:
        changed(floors=floors_playing(announcement=instance))
        sound_changed(client=instance.client_id)


@receiver(pre_delete, sender=Announcement, dispatch_uid="playlists-announcement-deleted")
def announcement_deleted(sender: Any, instance: Announcement, **kwargs: Any) -> None:
    """Its items go with it."""
    changed(floors=floors_playing(announcement=instance))
    sound_changed(client=instance.client_id)


@receiver(post_save, sender=MusicFile, dispatch_uid="playlists-music-saved")
def music_saved(sender: Any, instance: MusicFile, created: bool, raw: bool = False, **kwargs: Any) -> None:
    """It may have another title. Its sound never changes; that it became ready is looked for by the tick."""
    if not raw and not created:
        sound_changed(client=instance.client_id)


@receiver(pre_delete, sender=MusicFile, dispatch_uid="playlists-music-deleted")
def music_deleted(sender: Any, instance: MusicFile, **kwargs: Any) -> None:
    """Its items go with it."""
    changed(floors=floors_playing(music_file=instance))
    sound_changed(client=instance.client_id)
