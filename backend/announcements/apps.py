"""Announcements and speech."""

from django.apps import AppConfig


class AnnouncementsConfig(AppConfig):
    """Announcements and speech."""

    name = "announcements"
    default_auto_field = "django.db.models.BigAutoField"
