"""The roof's Django apps: the `serve` command with what only a running server needs, and the admin's site."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class CoreConfig(AppConfig):
    """Holds no models."""

    name = "core"
    default = True


class StaffAdminConfig(admin_apps.AdminConfig):
    """Django's admin, with sync2gear's own site."""

    default_site = "core.admin_site.StaffSite"
    default = False
