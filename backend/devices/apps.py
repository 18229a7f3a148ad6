"""Speakers' Django app."""

from django.apps import AppConfig


class DevicesConfig(AppConfig):
    """Speakers and their sockets."""

    name = "devices"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listens for changes above the devices that they must hear of."""
        from devices import openapi, signals  # noqa: F401  # both register themselves
