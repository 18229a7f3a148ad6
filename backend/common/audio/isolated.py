"""The work on files from outside, each in a process of its own: what a server calls.

All raise IsolationFailed when the process crashes, takes too long or too much memory, besides what the
function of the same name raises. Paths may be of any place the server's user can reach.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from common.audio.errors import AudioRefused
from common.audio.files import part_of
from common.audio.process import Bounds, run
from common.audio.values import AudioFacts, Limits, Loudness, Normalised, Tags

_INSPECTION = Bounds(timeout_s=30)
_PASS = Bounds(timeout_s=300)


def _run(task: str, arguments: dict[str, Any], bounds: Bounds) -> Any:
    return run("common.audio", task, arguments, bounds=bounds, raises=(AudioRefused,))


def inspect(path: Path, limits: Limits, *, bounds: Bounds = _INSPECTION) -> AudioFacts:
    """The facts of a file; see `common.audio.facts.inspect`."""
    answer = _run("inspect", {"path": str(path), "limits": asdict(limits)}, bounds)
    return AudioFacts(**answer | {"tags": Tags(**answer["tags"])})


def survey(path: Path, *, buckets: int = 200, bounds: Bounds = _PASS) -> tuple[Loudness, bytes]:
    """Loudness and waveform of a file from one decode; see `loudness.measure` and `loudness.peaks`."""
    answer = _run("survey", {"path": str(path), "buckets": buckets}, bounds)
    return Loudness(**answer["loudness"]), bytes(answer["peaks"])


def measure(path: Path, *, bounds: Bounds = _PASS) -> Loudness:
    """Loudness of a file; see `loudness.measure`."""
    return survey(path, buckets=1, bounds=bounds)[0]


def normalise(
    source: Path,
    target: Path,
    *,
    target_lufs: float = -16.0,
    ceiling_dbtp: float = -1.0,
    trim_silence: bool = False,
    chime: str | None = None,
    bounds: Bounds = _PASS,
) -> Normalised:
    """Writes the clip at the target loudness as MP3; see `encode.normalise`. A failure leaves nothing."""
    options = {
        "target_lufs": target_lufs,
        "ceiling_dbtp": ceiling_dbtp,
        "trim_silence": trim_silence,
        "chime": chime,
    }
    try:
        arguments = {"source": str(source), "target": str(target), "options": options}
        answer = _run("normalise", arguments, bounds)
    finally:
        part_of(target).unlink(missing_ok=True)
    return Normalised(**answer | {"loudness": Loudness(**answer["loudness"])})
