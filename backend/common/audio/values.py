"""What is known of a file, as plain values. Imports no decoder, so that a server may import it freely."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limits:
    """The most a file may be: `max_bytes`, and `max_duration_ms` of sound."""

    max_bytes: int = 200_000_000
    max_duration_ms: int = 2 * 3600 * 1000


@dataclass(frozen=True)
class Tags:
    """Tags as the file gives them, cleaned; an empty string where there is none."""

    title: str = ""
    artist: str = ""
    album: str = ""
    genre: str = ""
    isrc: str = ""


@dataclass(frozen=True)
class AudioFacts:
    """What a file is. `mime` is what it decodes as; `duration_ms` counts the samples that will be heard."""

    container: str
    codec: str
    mime: str
    bytes: int
    sha256: str
    duration_ms: int
    sample_rate: int
    channels: int
    tags: Tags = field(default_factory=Tags)


@dataclass(frozen=True)
class Loudness:
    """Integrated loudness in LUFS and true peak in dBTP; None for silence (nothing above −70 LUFS)."""

    integrated_lufs: float | None
    true_peak_dbtp: float | None


@dataclass(frozen=True)
class Normalised:
    """The clip that was written, measured from the finished file. `gain_db` was applied before limiting.

    The first `lead_in_ms` are a chime and a breath, exactly. `duration_ms` and the true peak are of the whole
    clip, the integrated loudness is of what follows the lead-in.
    """

    duration_ms: int
    loudness: Loudness
    gain_db: float
    sample_rate: int
    channels: int
    lead_in_ms: int = 0


def gain_db(loudness: Loudness, target_lufs: float = -16.0, ceiling_dbtp: float = -1.0) -> float:
    """Gain in dB that brings a file to the target, or as near as its true peak allows. 0 for silence."""
    if loudness.integrated_lufs is None or loudness.true_peak_dbtp is None:
        return 0.0
    return min(target_lufs - loudness.integrated_lufs, ceiling_dbtp - loudness.true_peak_dbtp)
