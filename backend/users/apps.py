"""People's Django app."""

from django.apps import AppConfig


class UsersConfig(AppConfig):
    """Who signs in, and in which role."""

    name = "users"
    default_auto_field = "django.db.models.BigAutoField"
