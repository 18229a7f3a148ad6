"""The ledger's Django app."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    """Plays: what was ordered, and what became of it."""

    name = "events"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Puts the ledger behind the device socket."""
        from devices.ports import connect_ledger
        from events.delivery import EventLedger

        connect_ledger(EventLedger())
