"""Signs of life: when each task, periodic ones above all, last ended well; for health checks and metrics.

Kept in the cache, which all processes of the production footprint share; embedded there is one process. A cache that
is lost has no signs of life until the next turn.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.core.cache import cache

from common import clock

KEPT_S = 86_400


def beat(task: str, *, now: datetime) -> None:
    """The task of this name has just ended well."""
    cache.set(key(task), clock.to_us(now), KEPT_S)


def last_beats(tasks: Iterable[str]) -> dict[str, datetime]:
    """When each of these tasks last ended well; those not heard of in the last day are left out."""
    names = {key(task): task for task in tasks}
    return {names[found]: clock.from_us(at) for found, at in cache.get_many(names).items()}


def key(task: str) -> str:
    """Where the cache holds when this task last ended well, µs UTC."""
    return f"heartbeat:{task}"
