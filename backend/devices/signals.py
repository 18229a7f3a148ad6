"""What changes a device's desired state or plan from outside: its floor, and the lock of its business. And its end."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save, pre_delete
from django.dispatch import receiver

from clients.models import Client
from common import clock
from common.tenancy import system_scope
from devices import bus
from devices.hub import Shut
from devices.models import Device
from devices.protocol import CloseCode
from devices.services import announce_plan, renew_desired, settle_locks
from zones.models import Floor

HEARD = frozenset({"min_volume", "max_volume", "quiet_hours_start", "quiet_hours_end", "timezone"})
"""The columns of a floor that its devices hear of."""


@receiver(post_save, sender=Floor, dispatch_uid="devices-floor-saved")
def floor_saved(
    sender: Any, instance: Floor, created: bool, update_fields: Any, raw: bool = False, **kwargs: Any
) -> None:
    """Other volume bounds or quiet hours: the devices of the floor hear of them."""
    if not raw and not created and (update_fields is None or HEARD & set(update_fields)):
        _floor_changes(instance)


@receiver(pre_delete, sender=Floor, dispatch_uid="devices-floor-deleted")
def floor_deleted(sender: Any, instance: Floor, **kwargs: Any) -> None:
    """No floor, no bounds and no quiet hours: pushed after the commit, when the floor is gone."""
    _floor_changes(instance)


@receiver(post_save, sender=Client, dispatch_uid="devices-client-saved")
def client_saved(sender: Any, instance: Client, created: bool, raw: bool = False, **kwargs: Any) -> None:
    """A business that was locked or opened: its devices go silent, or sound again."""
    if not raw and not created:
        with system_scope("the devices of one business"):
            settle_locks(devices=Device.objects.filter(client=instance), now=clock.now())


@receiver(pre_delete, sender=Device, dispatch_uid="devices-device-deleted")
def device_deleted(sender: Any, instance: Device, **kwargs: Any) -> None:
    """By whatever way a device goes, alone or with its business, its socket closes."""
    bus.publish_on_commit(Shut([instance.pk], CloseCode.FORBIDDEN, "revoked", "This device was removed."))


def _floor_changes(floor: Floor) -> None:
    with system_scope("the devices of one floor"):
        devices = list(Device.objects.filter(floor=floor).values_list("pk", flat=True))
        renew_desired(devices=devices)
        announce_plan(devices=devices)
