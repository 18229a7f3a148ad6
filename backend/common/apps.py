"""The ground's Django app: idempotency records, system checks, and how connections to PostgreSQL read instants."""

from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class CommonConfig(AppConfig):
    """Registers the system checks for incoherent settings, and looks after new connections."""

    name = "common"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Imports the checks, which register themselves."""
        from common import checks  # noqa: F401  # registration needs the app registry to be ready

        connection_created.connect(_connected, dispatch_uid="common.instants")


def _connected(connection: Any, **kwargs: Any) -> None:
    if connection.vendor == "postgresql":
        from common.instants import read_quickly  # the driver of a database that may not be in use

        read_quickly(connection)
