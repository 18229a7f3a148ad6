"""People's Django app."""

from django.apps import AppConfig


class UsersConfig(AppConfig):
    """Who signs in, and in which role."""

    name = "users"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Makes the sign-in known to the OpenAPI schema and its keys changeable, and looks after people's pictures."""
        from rest_framework_simplejwt import state

        from common import media_urls, uploads
        from users import avatars
        from users.jwt_keys import RotatedKeys
        from users.models import User
        from users.openapi import BearerScheme  # noqa: F401  # importing registers it; models must be loaded first

        one_key = state.token_backend
        # Every kind of token looks its backend up there.
        state.token_backend = RotatedKeys(one_key.algorithm, one_key.signing_key)
        # Not on the class: REST framework needs the sign-in, and so this model, before `uploads` can be imported.
        uploads.owns_files("avatar")(User)
        media_urls.serve(avatars.MEDIA_KIND, avatars.media_picture)
