"""What music was heard: from a device's own report, or from what it says of itself every 15 s and at each change.

A stretch is one segment of a programme sounding on one device without a break. Instants and lengths are µs.
The sum of what is heard errs on the side of less: what nobody reported was not heard.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

BREAK_US = 45_000_000
"""A device that says nothing for this long (the lease) is not believed to have gone on."""


class Silence(Enum):
    """A report that names no music."""

    NOTHING = "nothing"
    """No music sounds: it was paused, muted, stopped, or it is quiet hours."""
    COVERED = "covered"
    """An announcement or a tone sounds; the music beneath it, if there is any, is ducked and goes on."""


@dataclass(frozen=True, slots=True)
class Track:
    """A segment as a device names it. `starts` and `ends` on the timeline; None where they are not known."""

    segment: str
    starts: int | None = None
    ends: int | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A track that has been heard from `began` to `last`; `open` while it may still go on."""

    track: Track
    began: int
    last: int
    open: bool = True

    @property
    def heard_us(self) -> int:
        """For how long."""
        return self.last - self.began

    def until(self, at: int) -> Stretch:
        """Heard on to `at`, but not beyond the track's end."""
        bound = at if self.track.ends is None else min(at, self.track.ends)
        return replace(self, last=max(self.last, bound))


def hear(stretch: Stretch | None, said: Track | Silence, at: int) -> tuple[Stretch | None, Stretch | None]:
    """What the device's last stretch becomes, and the new one if another begins, by a report that came at `at`.

    A report older than the last one changes nothing. A track that follows another without a break began where
    the timeline says, else when it was first reported.
    """
    if stretch is not None and at < stretch.last:
        return stretch, None
    going_on = stretch if stretch is not None and stretch.open else None
    if going_on is not None and at - going_on.last > BREAK_US:
        stretch, going_on = replace(going_on, open=False), None
    if said is Silence.COVERED:
        return (going_on.until(at) if going_on else stretch), None
    if said is Silence.NOTHING:
        return (replace(going_on.until(at), open=False) if going_on else stretch), None
    if going_on is None:
        return stretch, Stretch(said, at, at)
    if said.segment == going_on.track.segment:
        return going_on.until(at), None
    turn = said.starts if said.starts is not None and going_on.last <= said.starts <= at else at
    return replace(going_on.until(turn), open=False), Stretch(said, turn, at)


# --- a device's own reports -------------------------------------------------------------------------------

SLACK_US = 300_000_000
"""A device's instant may lie this far outside of what is possible before it is not believed."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What a device reports of one stretch: its instants (µs UTC), and how long samples went out (µs)."""

    began: int
    ended: int
    played: int


def believed(said: Reported, *, longest: int, known_since: int, arrived: int) -> tuple[int, int]:
    """When a reported stretch was heard, as [began, until) in µs UTC.

    Never for longer than the track (`longest`), the samples, or the time between its instants. Instants before the
    device was known or in the future, or in the wrong order, are not believed: the stretch is then dated as if it
    had ended when its report arrived, for that it was heard is not in doubt.
    """
    heard = min(said.played, longest)
    if known_since - SLACK_US <= said.began <= said.ended <= arrived + SLACK_US:
        return said.began, said.began + min(heard, said.ended - said.began)
    return arrived - heard, arrived
