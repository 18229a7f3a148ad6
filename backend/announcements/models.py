"""Announcements: spoken from text, uploaded or recorded."""

from __future__ import annotations

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
    "lead_in_ms",
    "queued_at",
    "attempts",
    "updated_at",
)


@owns_files("audio_file", "source_file")
@audited("announcement", ignore=MEASURED)
class Announcement(SoundFacts, Preparable):
    """Words for a shop. `audio_file` is always a normalised MP3.

    `source_file` is what an uploaded or recorded one is made from, kept as it came, so that another chime costs no
    quality; a spoken one is made from its text. `lead_in_ms` of `audio_file` are a chime and a breath, exactly: the
    words begin there. Length, hash and true peak are of all of it, the loudness is of the words.

    `duration` is whole seconds (the brief's), `duration_ms` the exact length. `spoken_by` is the id of the
    voice that really spoke, which may differ from the voice asked for. Schedules choose it from `valid_from` on and
    until before `valid_until`; None: without bound.
    """

    class Type(models.TextChoices):
        """Where the sound comes from."""

        TTS = "tts", "Text-to-Speech"
        UPLOADED = "uploaded", "Uploaded Audio"
        RECORDED = "recorded", "Recorded"

    class Chime(models.TextChoices):
        """What sounds before the words: nothing, or one of `common.audio.synth.CHIMES`."""

        NONE = "none", "No chime"
        DING = "ding", "Ding"
        DING_DONG = "ding_dong", "Ding-dong"
        THREE_TONE = "three_tone", "Three tones"

    title = models.CharField(max_length=255)
    client = models.ForeignKey("clients.Client", on_delete=models.CASCADE, related_name="announcements")

    type = models.CharField(max_length=20, choices=Type.choices)
    text = models.TextField(blank=True)
    voice = models.CharField(max_length=100, blank=True)
    language = models.CharField(max_length=35, blank=True)
    spoken_by = models.CharField(max_length=100, blank=True)
    chime = models.CharField(max_length=20, choices=Chime.choices, default=Chime.NONE)
    lead_in_ms = models.PositiveIntegerField(default=0)
    audio_file = models.FileField(upload_to="announcements/%Y/%m/", null=True, blank=True)
    source_file = models.FileField(upload_to="announcements/sources/%Y/%m/", null=True, blank=True)
    file_size = models.BigIntegerField(default=0)
    mime_type = models.CharField(max_length=100, blank=True)
    duration = models.IntegerField(default=0)

    enabled = models.BooleanField(default=True)
    category = models.CharField(max_length=100, blank=True)
    valid_from = models.DateTimeField(null=True, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey("users.User", on_delete=models.SET_NULL, null=True, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantManager()

    class Meta:
        db_table = "announcements"
        ordering = ["title", "pk"]

    def __str__(self) -> str:
        return self.title

    @property
    def playable(self) -> bool:
        """Whether there is a sound to play: always when `ready`.

        While a changed text or chime is being prepared, and if that fails, it is the sound of before.
        """
        return bool(self.audio_file)

    @property
    def sound(self) -> Sound:
        """The announcement as it is streamed."""
        return Sound(file=self.audio_file, sha256=self.sha256, mime=self.mime_type, name=self.title)
