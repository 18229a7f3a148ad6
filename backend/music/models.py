"""Uploaded music."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models

from audit.services import audited
from common.media_fields import SoundFacts
from common.preparation import Preparable
from common.streaming import Sound
from common.tenancy import TenantManager
from common.uploads import owns_files

MEASURED = (
    "status",
    "failure_code",
    "failure_detail",
    "loudness_lufs",
    "true_peak_dbtp",
    "gain_db",
    "queued_at",
    "attempts",
    "worked_at",
)


@owns_files("file")
@audited("music", ignore=MEASURED)
class MusicFile(SoundFacts, Preparable):
    """A track. `duration` is whole seconds (the brief's), `duration_ms` the exact length.

    The file is kept as it came; `gain_db` brings it to the common loudness when it is played.
    """

    name = models.CharField(max_length=255)
    client = models.ForeignKey("clients.Client", on_delete=models.CASCADE, related_name="music_files")
    file = models.FileField(upload_to="music/%Y/%m/")
    file_size = models.BigIntegerField()
    duration = models.IntegerField()
    mime_type = models.CharField(max_length=100)

    artist = models.CharField(max_length=255, blank=True)
    album = models.CharField(max_length=255, blank=True)
    genre = models.CharField(max_length=100, blank=True)
    isrc = models.CharField(
        max_length=12,
        blank=True,
        validators=[
            RegexValidator(
                r"^[A-Z]{2}[A-Z0-9]{3}[0-9]{7}\Z", "An ISRC has 12 characters, like GBAYE6800011.", "isrc"
            )
        ],
    )

    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey("users.User", on_delete=models.SET_NULL, null=True, related_name="+")

    objects = TenantManager()

    class Meta:
        db_table = "music_files"
        ordering = ["name", "pk"]
        indexes = [
            models.Index(fields=["client", "sha256"], name="music_content"),
            models.Index(fields=["file"], name="music_by_file"),  # for common.media_files
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def sound(self) -> Sound:
        """The track as it is streamed."""
        name = f"{self.artist} - {self.name}" if self.artist else self.name
        return Sound(file=self.file, sha256=self.sha256, mime=self.mime_type, name=name)
