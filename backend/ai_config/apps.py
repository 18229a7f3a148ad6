"""AI providers."""

from django.apps import AppConfig


class AiConfigConfig(AppConfig):
    """AI providers."""

    name = "ai_config"
    default_auto_field = "django.db.models.BigAutoField"
