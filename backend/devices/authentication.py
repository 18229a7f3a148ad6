"""A device on the API: its own token, and nothing but its own paths."""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from common.tenancy import system_scope
from devices.credentials import Credential, bearer_of, recognise
from devices.models import Device


class DeviceCaller:
    """What `request.user` is when a device calls."""

    is_authenticated = True
    is_active = True
    is_device = True
    role = "device"

    def __init__(self, device: Device) -> None:
        self.device = device
        self.pk = f"device-{device.pk}"
        self.device_id = device.device_id
        self.client_id = device.client_id


class DeviceAuthentication(BaseAuthentication):
    """`Authorization: Bearer <device token>`."""

    def authenticate(self, request: Request) -> tuple[DeviceCaller, None] | None:
        """The device of the token; None without one; raises `AuthenticationFailed` for one that is not good."""
        token = bearer_of(request.headers.get("Authorization", ""))
        if not token or "." in token:  # a JWT has dots, a device's token has none: that one is a person's
            return None
        with system_scope("a device is known by its token alone"):
            device = recognise([Credential(token=token)])[0]
        if device is None or device.revoked_at is not None:
            raise AuthenticationFailed("This token is unknown or was revoked.")
        return DeviceCaller(device), None

    def authenticate_header(self, request: Request) -> Any:
        """What a 401 says about how to sign in."""
        return 'Bearer realm="device"'
