"""Announcements and speech."""

from django.apps import AppConfig


class AnnouncementsConfig(AppConfig):
    """Announcements and speech."""

    name = "announcements"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Offers announcements and clips of speech by signed links."""
        from announcements import clips, selectors
        from common import media_urls

        media_urls.serve(selectors.MEDIA_KIND, selectors.media_sound)
        media_urls.serve(clips.MEDIA_KIND, clips.media_sound)
