"""Schedules' Django app."""

from django.apps import AppConfig


class SchedulesConfig(AppConfig):
    """Rules that fire announcements, and the scheduler."""

    name = "schedules"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Watches what schedules are made of, and answers for their plays."""
        from events.ports import connect_planner, connect_stops
        from schedules import signals  # noqa: F401  # the receivers register themselves
        from schedules.airing import SchedulePlays
        from schedules.selectors import StoppedFloors

        connect_planner("schedules", SchedulePlays())
        connect_stops(StoppedFloors())
