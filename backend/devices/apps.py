"""Speakers and their sockets."""

from django.apps import AppConfig


class DevicesConfig(AppConfig):
    """Speakers and their sockets."""

    name = "devices"
    default_auto_field = "django.db.models.BigAutoField"
