"""How the OpenAPI schema describes a signed-in request."""

from __future__ import annotations

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme


class BearerScheme(SimpleJWTScheme):
    """`Authorization: Bearer <access token>`."""

    target_class = "users.authentication.BearerAuthentication"
    name = "bearer"
