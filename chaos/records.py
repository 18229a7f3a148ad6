"""What everybody writes down during a run, and the judge reads afterwards. Instants are µs UTC."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field

OPEN = frozenset({"pending", "delivered", "playing"})
TERMINAL = frozenset({"completed", "failed"})


@dataclass(slots=True)
class Start:
    """The first sample of an event in a device's ear, by the device's own idea of the server's clock."""

    event: str
    announcement: int
    at: int
    expires_at: int


@dataclass(slots=True)
class Receipt:
    """What a device has to tell of an event since `at`."""

    event: str
    outcome: str
    at: int
    acked: bool = False


@dataclass(slots=True)
class Journal:
    """One device's own record: what it heard, and what it told. It outlives every connection."""

    device: int
    client: int
    starts: list[Start] = field(default_factory=list)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    ordered: dict[str, int] = field(default_factory=dict)
    """Event → announcement of every order and planned occurrence that it was given."""
    lies: int = 0
    """Receipts that it sent for others' events. What it says of itself is not held against the server either."""
    judged: set[str] = field(default_factory=set)
    """What it heard or told of, and was judged in an earlier chapter: nothing may sound again."""

    def chapter(self, events: Container[str]) -> Journal:
        """What it says of these events, and what it ought not to say of those before; here it is struck out."""
        now = Journal(self.device, self.client, lies=self.lies, judged=set(self.judged))
        now.starts = [each for each in self.starts if each.event in events or each.event in self.judged]
        now.receipts = {name: each for name, each in self.receipts.items() if name in events}
        now.ordered = {name: each for name, each in self.ordered.items() if name in events}
        self.starts = [
            each for each in self.starts if each.event not in events and each.event not in self.judged
        ]
        for name in now.receipts:
            del self.receipts[name]
        for name in now.ordered:
            del self.ordered[name]
        self.judged.update(each.event for each in now.starts)
        self.judged.update(now.receipts)
        return now


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person's program was answered to one attempt of a write; `status` 0 is no answer.

    `order` is the Idempotency-Key: attempts that share it are one wish.
    """

    order: str
    request_id: str
    what: str
    status: int
    at: int
    client: int
    made: int = 0
    """The row that the answer names, of `what`'s own kind."""
    events: tuple[str, ...] = ()

    @property
    def acknowledged(self) -> bool:
        """Whether the person was told that it is done."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Event:
    """A row of the ledger."""

    id: str
    play: str
    device: int
    client: int
    announcement_client: int
    scheduled: bool
    priority: str
    status: str
    reason: str
    outcome: str
    play_at: int
    created_at: int
    started_at: int | None
    endings: int
    """How many different terminal states the row was given otherwise than by a correction."""


@dataclass(frozen=True, slots=True)
class Books:
    """What stands in the database of that which is judged."""

    events: dict[str, Event]
    there: frozenset[str]
    """The events that answers name, as far as they stand in the ledger, whenever they are due."""
    audited: dict[str, tuple[str, str]]
    """Request id → the action and the play id, if it ordered one."""
    plays_ordered: dict[str, set[str]]
    """Order (Idempotency-Key) → plays that the trail says it made."""
    sounds: dict[int, tuple[int, str]]
    """Announcement → its client and its readiness."""
    trail_intact: bool
    trail_said: str = ""
