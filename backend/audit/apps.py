"""The audit trail's Django app."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Keeps who did what."""

    name = "audit"
    default_auto_field = "django.db.models.BigAutoField"
