"""Webhooks' Django app."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """What happens, told to businesses' own systems."""

    name = "webhooks"
    default_auto_field = "django.db.models.BigAutoField"
