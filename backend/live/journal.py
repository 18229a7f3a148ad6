"""What has changed of late, so that a page which slept is told what it missed. Pure: `now_us` is an argument."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from devices.hub import Change

KEPT_US = 10 * 60 * 1_000_000
MOST = 50_000
"""Entries of all businesses together."""
SLACK_US = 10 * 1_000_000
"""Between processes: their clocks, the way of a message, and how long it is gathered."""

Entry = tuple[int, str, int | None, str]
"""Client, topic, floor, key; the key is empty for many."""


@dataclass(slots=True)
class Journal:
    """Each row once, at its last change, in the order of time. Nothing since `complete_since` is missing."""

    complete_since: int
    entries: OrderedDict[Entry, int] = field(default_factory=OrderedDict)

    def note(self, change: Change, *, now_us: int) -> None:
        """Takes a change in, and lets go of what is old."""
        for key in change.keys or [""]:
            entry = (change.client, change.topic, change.floor, key)
            self.entries.pop(entry, None)
            self.entries[entry] = now_us
        while self.entries and (
            len(self.entries) > MOST or next(iter(self.entries.values())) < now_us - KEPT_US
        ):
            _, at = self.entries.popitem(last=False)
            self.complete_since = max(self.complete_since, at + 1)

    def gap(self, *, now_us: int) -> None:
        """Something may have been missed until now."""
        self.entries.clear()
        self.complete_since = now_us

    def since(self, as_of: int, *, client: int) -> list[Change] | None:
        """What a page of this business that is as of that instant has missed; None when that is no longer known."""
        begin = as_of - SLACK_US
        if begin < self.complete_since:
            return None
        return list(self._since(begin, client))

    def _since(self, begin: int, client: int) -> Iterator[Change]:
        for (of_client, topic, floor, key), at in reversed(self.entries.items()):
            if at < begin:
                return
            if of_client == client:
                yield Change(topic, of_client, floor, [key] if key else [])
