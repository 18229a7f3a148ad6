"""The roof's Django app: the `serve` command and what only a running server needs."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Holds no models."""

    name = "core"
