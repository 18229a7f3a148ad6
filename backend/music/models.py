"""Uploaded music."""

from __future__ import annotations

from django.db import models

from audit.services import audited
from common.media_fields import SoundFacts
from common.tenancy import TenantManager

MEASURED = (
    "status",
    "failure_code",
    "failure_detail",
    "loudness_lufs",
    "true_peak_dbtp",
    "gain_db",
)


@audited("music", ignore=MEASURED)
class MusicFile(SoundFacts):
    """A track. `duration` is whole seconds (the brief's), `duration_ms` the exact length."""

    name = models.CharField(max_length=255)
    client = models.ForeignKey("clients.Client", on_delete=models.CASCADE, related_name="music_files")
    file = models.FileField(upload_to="music/%Y/%m/")
    file_size = models.BigIntegerField()
    duration = models.IntegerField()
    mime_type = models.CharField(max_length=100)

    artist = models.CharField(max_length=255, blank=True)
    album = models.CharField(max_length=255, blank=True)
    genre = models.CharField(max_length=100, blank=True)
    isrc = models.CharField(max_length=12, blank=True)

    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey("users.User", on_delete=models.SET_NULL, null=True, related_name="+")

    objects = TenantManager()

    class Meta:
        db_table = "music_files"
        ordering = ["name", "pk"]
        indexes = [models.Index(fields=["client", "sha256"], name="music_content")]

    def __str__(self) -> str:
        return self.name
