"""What everybody writes down during a run, and the judge reads afterwards. Instants are µs UTC."""

from __future__ import annotations

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
    """All that stands in the database at the end."""

    events: dict[str, Event]
    audited: dict[str, tuple[str, str]]
    """Request id → the action and the play id, if it ordered one."""
    plays_ordered: dict[str, set[str]]
    """Order (Idempotency-Key) → plays that the trail says it made."""
    sounds: dict[int, tuple[int, str]]
    """Announcement → its client and its readiness."""
    trail_intact: bool
    trail_said: str = ""
