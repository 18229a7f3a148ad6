"""How a device signs in, in the OpenAPI schema."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class DeviceTokenScheme(OpenApiAuthenticationExtension):
    """The bearer token of one speaker."""

    target_class = "devices.authentication.DeviceAuthentication"
    name = "deviceToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The security scheme object."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "The token of one speaker, from pairing or from `POST /api/devices/`.",
        }
