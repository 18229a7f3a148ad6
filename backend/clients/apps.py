"""Businesses' Django app."""

from django.apps import AppConfig


class ClientsConfig(AppConfig):
    """The businesses that use sync2gear."""

    name = "clients"
    default_auto_field = "django.db.models.BigAutoField"
