"""The ledger of plays."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    """The ledger of plays."""

    name = "events"
    default_auto_field = "django.db.models.BigAutoField"
