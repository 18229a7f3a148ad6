"""What every stored sound has, whatever it is for: its measured facts and where its preparation stands."""

from __future__ import annotations

from django.db import models


class Readiness(models.TextChoices):
    """Where the preparation of a sound stands. What is `ready`, or still has its former sound, can be played."""

    GENERATING = "generating", "Being spoken"
    PROCESSING = "processing", "Being examined"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"


class SoundFacts(models.Model):
    """Measured facts of one audio file.

    `duration_ms` from the decoded samples; loudness in LUFS (ITU-R BS.1770) and true peak in dBTP; `gain_db`
    brings it to −16 LUFS with a true peak of at most −1 dBTP; `sha256` is of the stored bytes.
    """

    status = models.CharField(
        max_length=16, choices=Readiness.choices, default=Readiness.PROCESSING, db_index=True
    )
    failure_code = models.CharField(max_length=64, blank=True)
    failure_detail = models.CharField(max_length=1000, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    duration_ms = models.PositiveBigIntegerField(default=0)
    loudness_lufs = models.FloatField(null=True, blank=True)
    true_peak_dbtp = models.FloatField(null=True, blank=True)
    gain_db = models.FloatField(default=0.0)

    class Meta:
        abstract = True
