"""The ground's Django app: idempotency records and system checks."""

from django.apps import AppConfig


class CommonConfig(AppConfig):
    """Registers the system checks for incoherent settings."""

    name = "common"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Imports the checks, which register themselves."""
        from common import checks  # noqa: F401  # registration needs the app registry to be ready
