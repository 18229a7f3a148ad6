"""What changes schedules from below: announcements, floors, devices, and the business itself."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.db.models.signals import post_save, pre_delete
from django.dispatch import receiver

from announcements.models import Announcement
from clients.models import Client
from devices.models import Device
from schedules.renewal import changed
from zones.models import Floor

HEARD_BY = frozenset({"floor", "revoked_at"})
"""The columns of a device that decide which schedules it hears."""


@receiver(post_save, sender=Announcement, dispatch_uid="schedules-announcement-saved")
def announcement_saved(sender: Any, instance: Announcement, raw: bool = False, **kwargs: Any) -> None:
    """It may have been switched on or off, be valid at other times, or have a sound now."""
    if not raw:
        changed(schedule_announcements__announcement=instance)


@receiver(pre_delete, sender=Announcement, dispatch_uid="schedules-announcement-deleted")
def announcement_deleted(sender: Any, instance: Announcement, **kwargs: Any) -> None:
    """It leaves its schedules."""
    changed(schedule_announcements__announcement=instance)


@receiver(post_save, sender=Floor, dispatch_uid="schedules-floor-saved")
def floor_saved(sender: Any, instance: Floor, created: bool, raw: bool = False, **kwargs: Any) -> None:
    """Its quiet hours, zone or volumes may be others."""
    if not raw and not created:
        changed(on_floor(instance))


@receiver(pre_delete, sender=Floor, dispatch_uid="schedules-floor-deleted")
def floor_deleted(sender: Any, instance: Floor, **kwargs: Any) -> None:
    """Its devices hear what names them, and no longer what named the floor."""
    changed(on_floor(instance))


@receiver(post_save, sender=Client, dispatch_uid="schedules-client-saved")
def client_saved(sender: Any, instance: Client, created: bool, raw: bool = False, **kwargs: Any) -> None:
    """Its zone, its least gap or its lock may be others."""
    if not raw and not created:
        changed(client=instance)


@receiver(post_save, sender=Device, dispatch_uid="schedules-device-saved")
def device_saved(
    sender: Any, instance: Device, raw: bool = False, update_fields: Any = None, **kwargs: Any
) -> None:
    """It may hang elsewhere now: what named its floor before cannot be told any more, so all that name floors."""
    if not raw and (update_fields is None or HEARD_BY & set(update_fields)):
        changed(Q(floors__isnull=False) | Q(devices=instance), client_id=instance.client_id)


def on_floor(floor: Floor) -> Q:
    """The schedules that are heard on this floor."""
    return Q(floors=floor) | Q(devices__floor=floor)
