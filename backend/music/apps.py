"""Music files."""

from django.apps import AppConfig


class MusicConfig(AppConfig):
    """Music files."""

    name = "music"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Offers the tracks by signed links."""
        from common import media_urls
        from music import selectors

        media_urls.serve(selectors.MEDIA_KIND, selectors.media_sound)
