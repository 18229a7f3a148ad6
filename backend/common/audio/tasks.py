"""What the child process of `common.audio` can be asked: JSON in, JSON out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from common.audio import encode, facts, loudness
from common.audio.values import Limits


def inspect(path: str, limits: dict[str, int]) -> dict[str, Any]:
    """See `facts.inspect`."""
    return asdict(facts.inspect(Path(path), Limits(**limits)))


def survey(path: str, buckets: int) -> dict[str, Any]:
    """See `isolated.survey`."""
    analysis = loudness.analyse(Path(path))
    return {"loudness": asdict(analysis.loudness), "peaks": list(analysis.peaks(buckets))}


def normalise(source: str, target: str, options: dict[str, Any]) -> dict[str, Any]:
    """See `encode.normalise`."""
    return asdict(encode.normalise(Path(source), Path(target), **options))
