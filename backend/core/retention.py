"""For how long what was written is kept: one table, and the work that keeps to it.

`KEEP_…_DAYS` in the environment change it. docs/retention.md has the reasons at length, and figures.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.conf import settings

from audit import retention as audit
from common import idempotency
from common.retention import Part, remove_old, worked
from common.tenancy import system_scope

RUN = timedelta(seconds=30)
"""What one run of the periodic work may take; the next goes on."""
REST = 1.0
"""It works for half of that at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The rows of a table, for how long they are kept from the instant `by` on, and why so long and no longer.

    `keep` is a name of `settings.KEEP`, or a fixed time. `along` and `parts`: see `common.retention.remove_old`.
    """

    model: str
    by: str
    keep: str | timedelta
    why: str
    along: str = "pk"
    parts: tuple[Part, ...] = ()

    @property
    def time(self) -> timedelta | None:
        """For how long; None: for ever."""
        found: timedelta | None = (
            getattr(settings.KEEP, self.keep) if isinstance(self.keep, str) else self.keep
        )
        return found

    def old(self, now: datetime) -> int:
        """How many rows are too old now; counts them all."""
        return 0 if self.time is None else self._rows.filter(**{f"{self.by}__lt": now - self.time}).count()

    def remove(self, now: datetime) -> Iterator[int]:
        """Removes them batch by batch."""
        if self.time is not None:
            yield from remove_old(
                self.model, by=self.by, before=now - self.time, along=self.along, parts=self.parts
            )

    @property
    def _rows(self) -> Any:
        return apps.get_model(self.model)._base_manager


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTrail(Kept):
    """The audit trail, which is not removed from but cut: `audit.retention`."""

    def old(self, now: datetime) -> int:
        """How many entries would be cut off now."""
        return 0 if self.time is None else audit.old(before=now - self.time)

    def remove(self, now: datetime) -> Iterator[int]:
        """Cuts the chains."""
        if self.time is not None:
            yield from audit.cut(before=now - self.time, kept=self.time, now=now)


TABLE: tuple[Kept, ...] = (
    Kept(
        model="events.PlayEventChange",
        by="at",
        keep="play_history",
        why="Each step of a play is looked at when something went wrong; its outcome stays with the play.",
    ),
    Kept(
        model="events.PlayEvent",
        by="created_at",
        keep="plays",
        why="Proof of play: a month can be compared with the same of last year, and there is a month to do it in.",
        along="created_at",
        parts=(
            Part(model="events.PlayEventChange", column="event_id"),
            Part(model="schedules.ScheduleOccurrence", column="play_id", of="play_id"),
        ),
    ),
    Kept(
        model="devices.Outage",
        by="ended_at",
        keep="plays",
        why="What was not heard, and that its speaker was away, are asked for together.",
    ),
    Kept(
        model="devices.ListeningSpan",
        by="ended_at",
        keep="plays",
        why="Outages count against it.",
    ),
    Kept(
        model="playlists.MusicPlay",
        by="started_at",
        keep="music_log",
        why="What a collecting society may ask about: the year that is being settled, and the one before.",
    ),
    KeptTrail(
        model="audit.AuditLog",
        by="timestamp",
        keep="audit",
        why="Who did what may be asked for as long as claims live; ten years is the longest that books are kept.",
    ),
    Kept(
        model="webhooks.WebhookDelivery",
        by="created_at",
        keep="deliveries",
        why="To see what a receiver missed, and to send it again.",
    ),
    Kept(
        model="common.IdempotencyRecord",
        by="created_at",
        keep=idempotency.KEPT_FOR,
        why="A client that tries again does so within a day.",
    ),
    Kept(
        model="token_blacklist.OutstandingToken",
        by="expires_at",
        keep=timedelta(0),
        why="A refresh token that has run out opens nothing, used or not.",
        parts=(Part(model="token_blacklist.BlacklistedToken", column="token_id"),),
    ),
    Kept(
        model="users.UserSession",
        by="expires_at",
        keep=timedelta(0),
        why="A sign-in whose longest life is over; until then its tokens may come and have to be refused.",
        along="expires_at",
    ),
    Kept(
        model="sessions.Session",
        by="expire_date",
        keep=timedelta(0),
        why="A session of Django's admin that has run out.",
        along="expire_date",
    ),
    Kept(
        model="devices.DevicePairing",
        by="expires_at",
        keep=timedelta(hours=1),
        why="A speaker that asks late is told that its code has expired.",
    ),
)
"""In the order in which they are worked through."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a run came to for one table: how many rows went, and whether none is left."""

    model: str
    removed: int
    complete: bool


def forget_old(*, now: datetime, seconds: float | None = None, rest: float = REST) -> list[Done]:
    """Removes what is too old, table by table; ends after `seconds`, in the middle if need be.

    Each table has a share of the time that is left, so that a long one keeps none from its turn.
    """
    end = time.monotonic() + (seconds if seconds is not None else RUN.total_seconds())
    done = []
    with system_scope("old rows of every business go"):
        for place, kept in enumerate(TABLE):
            share = (end - time.monotonic()) / (len(TABLE) - place)
            removed, complete = worked(kept.remove(now), until=time.monotonic() + share, rest=rest)
            done.append(Done(kept.model, removed, complete))
    return done
