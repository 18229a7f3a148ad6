"""Roles as data. A viewset declares `access = {action: permission class}`; the base view enforces it.

The class names are the brief's. An action without an entry is refused to everybody.
"""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

ADMIN = "admin"
CLIENT = "client"
FLOOR_USER = "floor_user"

STAFF = frozenset({ADMIN})
CLIENT_ADMINS = frozenset({ADMIN, CLIENT})
EVERYBODY = frozenset({ADMIN, CLIENT, FLOOR_USER})


class RolePermission(BasePermission):
    """Lets in the signed-in users whose role is in `roles`."""

    roles: frozenset[str] = frozenset()

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the caller's role is among `roles`."""
        user = request.user
        return bool(user and user.is_authenticated and getattr(user, "role", None) in self.roles)


def may_enter_admin(user: Any) -> bool:
    """Whether this person may use Django's admin: sync2gear's staff, by role and by Django's own flag."""
    return bool(user.is_active and user.is_staff and getattr(user, "role", None) == ADMIN)


class IsSuperAdmin(RolePermission):
    """Only sync2gear's staff."""

    roles = STAFF


class IsClientAdmin(RolePermission):
    """A client admin, or sync2gear's staff."""

    roles = CLIENT_ADMINS


class IsFloorUser(RolePermission):
    """Any signed-in user."""

    roles = EVERYBODY


class IsOwnerOrAdmin(RolePermission):
    """Any signed-in user, for objects of their own business; sync2gear's staff for all."""

    roles = EVERYBODY

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        """Whether `obj` belongs to the caller's client. The tenant scope has already hidden the others."""
        user: Any = request.user
        return bool(user.role == ADMIN or obj.client_id == user.client_id)


class IsAnybody(BasePermission):
    """No sign-in needed: registration, login, pairing."""


class IsDevice(BasePermission):
    """A speaker with its own token."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the caller authenticated as a device."""
        return getattr(request.user, "is_device", False)


class IsDeviceOrFloorUser(BasePermission):
    """A speaker with its own token, or any signed-in user."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the caller is a device or a person with a role."""
        return IsDevice().has_permission(request, view) or IsFloorUser().has_permission(request, view)


class IsNobody(BasePermission):
    """What no entry of a viewset's `access` names: refused."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Always False."""
        return False


CAPABILITIES: dict[str, frozenset[str]] = {
    "clients.manage": STAFF,
    "ai_providers.manage": STAFF,
    "audit.read": CLIENT_ADMINS,
    "users.manage": CLIENT_ADMINS,
    "floors.manage": CLIENT_ADMINS,
    "devices.manage": CLIENT_ADMINS,
    "devices.control": EVERYBODY,
    "music.manage": CLIENT_ADMINS,
    "announcements.manage": CLIENT_ADMINS,
    "announcements.play": EVERYBODY,
    "playlists.manage": CLIENT_ADMINS,
    "schedules.manage": CLIENT_ADMINS,
    "play_events.read": EVERYBODY,
    "webhooks.manage": CLIENT_ADMINS,
}
"""What each role may do, in the words that `GET /api/auth/me/` gives to a front end."""


def capabilities_of(role: str) -> list[str]:
    """The sorted names of what `role` may do."""
    return sorted(name for name, roles in CAPABILITIES.items() if role in roles)
