"""The dashboards' Django app."""

from django.apps import AppConfig


class LiveConfig(AppConfig):
    """What open dashboards hear, without asking again and again."""

    name = "live"

    def ready(self) -> None:
        """Listens for changes of the rows that dashboards show, and to what comes over the bus."""
        from devices import ports
        from live import hub, signals

        signals.connect()
        ports.connect_audience(hub.running)
