"""People's Django app."""

from django.apps import AppConfig


class UsersConfig(AppConfig):
    """Who signs in, and in which role."""

    name = "users"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Makes the sign-in known to the OpenAPI schema, and looks after people's pictures."""
        from common import media_urls, uploads
        from users import avatars
        from users.models import User
        from users.openapi import BearerScheme  # noqa: F401  # importing registers it; models must be loaded first

        # Not on the class: REST framework needs the sign-in, and so this model, before `uploads` can be imported.
        uploads.owns_files("avatar")(User)
        media_urls.serve(avatars.MEDIA_KIND, avatars.media_picture)
