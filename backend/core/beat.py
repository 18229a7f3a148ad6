"""Celery's scheduler, unharmed by a wall clock that is stepped.

It reckons with the wall clock alone: set back by an hour, as after a flat battery or by NTP, it would be silent for
that hour, and with it the scheduler of every business.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Any

from celery.beat import Scheduler

logger = logging.getLogger(__name__)

STEP_S = 1.0
"""What the wall clock may gain or lose against the monotonic one before it counts as stepped."""


class SteadyScheduler(Scheduler):
    """Keeps nothing: every entry may run at once after a restart, and none has to be made up for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._ahead = self._wall_ahead()
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Sends one entry that is due; returns the seconds until the next. A step moves all last runs with it."""
        step = self._wall_ahead() - self._ahead
        if abs(step) > STEP_S:
            logger.warning("the wall clock was stepped by %.1f s", step)
            self._ahead += step
            for entry in self.schedule.values():
                entry.last_run_at += timedelta(seconds=step)
            self._heap = None  # made anew from the entries
        return float(super().tick(*args, **kwargs))

    @staticmethod
    def _wall_ahead() -> float:
        return time.time() - time.monotonic()
