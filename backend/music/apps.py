"""Music files."""

from django.apps import AppConfig


class MusicConfig(AppConfig):
    """Music files."""

    name = "music"
    default_auto_field = "django.db.models.BigAutoField"
