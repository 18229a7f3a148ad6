"""Announcements and speech."""

from django.apps import AppConfig


class AnnouncementsConfig(AppConfig):
    """Announcements and speech."""

    name = "announcements"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Offers the announcements by signed links."""
        from announcements import selectors
        from common import media_urls

        media_urls.serve(selectors.MEDIA_KIND, selectors.media_sound)
