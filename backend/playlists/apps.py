"""The channel playlists' Django app."""

from django.apps import AppConfig


class PlaylistsConfig(AppConfig):
    """Channel playlists, and the programme of a floor that is made of them."""

    name = "playlists"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Watches what the programmes are made of, answers for their announcements, and logs what was heard."""
        from devices.ports import connect_music_log, connect_status_observer
        from events.ports import connect_planner
        from playlists import signals  # noqa: F401  # the receivers register themselves
        from playlists.airing import ProgrammePlays
        from playlists.licence import LicenceLog
        from playlists.music_reports import ReportedMusic

        connect_planner("playlists", ProgrammePlays())
        connect_music_log(ReportedMusic())
        connect_status_observer("licence log", LicenceLog())
