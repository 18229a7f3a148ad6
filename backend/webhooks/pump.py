"""The pump: sends what is due, many at a time, until nothing is.

One runs in a process at most; whoever asks while it runs makes it look again. The database is read and written on
the caller's thread, the threads beside it do nothing but talk to receivers, so that a slow one holds up a thread
and not the others.
"""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Lock
from typing import Any

from common import clock
from webhooks import outbox, sending
from webhooks.outbox import Claimed
from webhooks.sending import Answer

MOST_AT_ONCE = 32
LONGEST_S = 60.0
"""A pump ends after this long even if more is due: the next turn of the table begins a new one."""


class Pump:
    """Sends what is due."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._bell: Future[None] | None = None
        """Rings the pump that runs; None when none does."""

    def run(self) -> int:
        """Sends until nothing is due; returns how many attempts it made. At once 0 if one runs already."""
        with self._lock:
            if self._bell is not None:
                if not self._bell.done():
                    self._bell.set_result(None)
                return 0
            self._bell = Future()
        try:
            with ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="webhook") as threads:
                return self._send_all(threads)
        except BaseException:
            with self._lock:
                self._bell = None
            raise

    def _send_all(self, threads: ThreadPoolExecutor) -> int:
        ends = time.monotonic() + LONGEST_S
        flying: dict[Future[Answer], Claimed] = {}
        attempts = 0
        while True:
            bell = self._hang_bell()
            room = MOST_AT_ONCE - len(flying) if time.monotonic() < ends else 0
            for claimed in outbox.claim(now=clock.now(), most=room) if room else ():
                flying[threads.submit(sending.send, claimed.parcel)] = claimed
            if not flying and (self._take_down(bell) or not room):
                return attempts
            awaited: list[Future[Any]] = [*flying, bell]
            wait(awaited, return_when=FIRST_COMPLETED)
            for flight in [flight for flight in flying if flight.done()]:
                outbox.record(flying.pop(flight), flight.result(), now=clock.now())
                attempts += 1

    def _hang_bell(self) -> Future[None]:
        with self._lock:
            self._bell = Future()
            return self._bell

    def _take_down(self, bell: Future[None]) -> bool:
        """Ends the time in which asking means ringing; False if somebody has rung since the last look."""
        with self._lock:
            if bell.done():
                return False
            self._bell = None
            return True


pump = Pump()
"""This process's own."""
