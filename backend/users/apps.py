"""People's Django app."""

from django.apps import AppConfig


class UsersConfig(AppConfig):
    """Who signs in, and in which role."""

    name = "users"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Makes the sign-in known to the OpenAPI schema."""
        from users import openapi  # noqa: F401  # importing registers it; models must be loaded first
