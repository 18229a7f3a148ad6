"""What changes a device's desired state from outside: its floor's volume bounds, and the lock of its business."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from clients.models import Client
from common.tenancy import system_scope
from devices.models import Device
from devices.services import renew_desired
from zones.models import Floor


@receiver(post_save, sender=Floor, dispatch_uid="devices-floor-saved")
def floor_saved(sender: Any, instance: Floor, created: bool, raw: bool = False, **kwargs: Any) -> None:
    """Other volume bounds: the devices of the floor hear of them."""
    if not raw and not created:
        with system_scope("the devices of one floor"):
            renew_desired(devices=Device.objects.filter(floor=instance).values_list("pk", flat=True))


@receiver(post_save, sender=Client, dispatch_uid="devices-client-saved")
def client_saved(sender: Any, instance: Client, created: bool, raw: bool = False, **kwargs: Any) -> None:
    """A business that was locked or opened: its devices go silent, or sound again."""
    if not raw and not created:
        with system_scope("the devices of one business"):
            renew_desired(devices=Device.objects.filter(client=instance).values_list("pk", flat=True))
