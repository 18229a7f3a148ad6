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
    "worked_at",
    "speech",
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
    until before `valid_until`; None: without bound. `speech` says who spoke it, as `speaking.Record` has it.
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
    speech = models.JSONField(null=True, blank=True)
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
        indexes = [  # for common.media_files
            models.Index(fields=["audio_file"], name="announcement_by_audio"),
            models.Index(fields=["source_file"], name="announcement_by_source"),
        ]

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


@owns_files("file")
class SpeechClip(models.Model):
    """Speech as it came from a voice, kept for one business: the same words by the same voice are not paid for twice.

    `key` is the SHA-256 of what it was made from (`clips.key_of`), `sha256` that of the file. `cost_usd` is what making
    it cost.
    """

    client = models.ForeignKey("clients.Client", on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=64)
    file = models.FileField(upload_to="speech/%Y/%m/")
    sha256 = models.CharField(max_length=64)
    mime_type = models.CharField(max_length=100)
    file_size = models.BigIntegerField()
    duration_ms = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=50)
    voice = models.CharField(max_length=100)
    model = models.CharField(max_length=100, blank=True)
    cost_usd = models.DecimalField(max_digits=12, decimal_places=6, default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(db_index=True)

    objects = TenantManager()

    class Meta:
        db_table = "speech_clips"
        ordering = ["-used_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["client", "key"], name="speech_clip_once")]
        indexes = [models.Index(fields=["file"], name="speech_clip_by_file")]  # for common.media_files

    def __str__(self) -> str:
        return f"{self.voice}, {self.duration_ms} ms"

    @property
    def sound(self) -> Sound:
        """The clip as it is streamed."""
        return Sound(file=self.file, sha256=self.sha256, mime=self.mime_type, name="Speech")
