"""How the OpenAPI schema describes a signed-in request."""

from __future__ import annotations

from typing import Any

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme


class BearerScheme(SimpleJWTScheme):
    """`Authorization: Bearer <access token>`."""

    target_class = "users.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> Any:
        """The security scheme object."""
        told = "The access token of a person, from `POST /api/auth/login/`. It lives 30 minutes."
        return super().get_security_definition(auto_schema) | {"description": told}
