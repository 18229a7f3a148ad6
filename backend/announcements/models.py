"""Announcements: spoken from text, uploaded or recorded."""

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
    "updated_at",
)


@audited("announcement", ignore=MEASURED)
class Announcement(SoundFacts):
    """Words for a shop. `audio_file` is always a normalised MP3; `source_file` waits to be made into one.

    `duration` is whole seconds (the brief's), `duration_ms` the exact length. `spoken_by` names the engine or
    provider that really spoke, which may differ from the voice asked for.
    """

    class Type(models.TextChoices):
        """Where the sound comes from."""

        TTS = "tts", "Text-to-Speech"
        UPLOADED = "uploaded", "Uploaded Audio"
        RECORDED = "recorded", "Recorded"

    title = models.CharField(max_length=255)
    client = models.ForeignKey("clients.Client", on_delete=models.CASCADE, related_name="announcements")

    type = models.CharField(max_length=20, choices=Type.choices)
    text = models.TextField(blank=True)
    voice = models.CharField(max_length=100, blank=True)
    language = models.CharField(max_length=35, blank=True)
    spoken_by = models.CharField(max_length=100, blank=True)
    audio_file = models.FileField(upload_to="announcements/%Y/%m/", null=True, blank=True)
    source_file = models.FileField(upload_to="announcements/sources/%Y/%m/", null=True, blank=True)
    file_size = models.BigIntegerField(default=0)
    mime_type = models.CharField(max_length=100, blank=True)
    duration = models.IntegerField(default=0)

    enabled = models.BooleanField(default=True)
    category = models.CharField(max_length=100, blank=True)

    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey("users.User", on_delete=models.SET_NULL, null=True, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantManager()

    class Meta:
        db_table = "announcements"
        ordering = ["title", "pk"]

    def __str__(self) -> str:
        return self.title
