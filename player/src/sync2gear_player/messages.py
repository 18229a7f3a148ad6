"""The socket's messages as this speaker sends and understands them (protocol v1).

Instants are integer µs UTC, durations ms unless the name says µs, volume 0–100, gains dB.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

from sync2gear_player.clockfilter import ClockState
from sync2gear_player.documents import DocumentError, build

SUBPROTOCOL = "sync2gear.v1"

Priority = Literal["emergency", "instant", "timeline", "interval", "playlist"]
Late = Literal["skip", "join"]
AckState = Literal["armed", "fetching", "duplicate", "expired", "cannot"]
Action = Literal["play", "pause", "stop", "next", "identify", "restart", "refetch"]
Outcome = Literal[
    "played",
    "partial",
    "skipped_late",
    "skipped_duplicate",
    "skipped_cancelled",
    "skipped_preempted",
    "skipped_quiet",
    "skipped_clock",
    "failed_fetch",
    "failed_decode",
    "failed_output",
    "unknown_after_crash",
]

# --- speaker → server ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ClockReport:
    """What this speaker believes of its clock; `error_us` bounds its distance from the server's."""

    state: ClockState
    error_us: int | None = None
    drift_ppb: int | None = None
    round_trip_us: int | None = None


@dataclass(frozen=True)
class NowPlaying:
    """What sounds; `id` is a segment's or an event's."""

    kind: Literal["music", "announcement", "tone", "nothing"]
    id: str = ""
    position_ms: int = 0


NOTHING = NowPlaying("nothing")


@dataclass(frozen=True, kw_only=True)
class Hello:
    """Opens a session."""

    type: ClassVar[str] = "hello"
    boot_id: str
    software: str
    capabilities: tuple[str, ...]
    plan_etag: str
    applied_rev: int
    clock: ClockReport
    required_lead_ms: int
    output_delay_ms: int


@dataclass(frozen=True, kw_only=True)
class TimeProbe:
    """Asks the time."""

    type: ClassVar[str] = "time_probe"
    n: int
    t1: int


@dataclass(frozen=True, kw_only=True)
class Ack:
    """What became of a push, before its instant."""

    type: ClassVar[str] = "ack"
    event_id: str
    state: AckState
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class StatusUpdate:
    """Lease and health."""

    type: ClassVar[str] = "status_update"
    volume: int
    muted: bool
    now_playing: NowPlaying
    applied_rev: int
    clock: ClockReport
    buffer_ms: int
    underruns: int
    cache_bytes: int
    receipts_pending: int
    status: str = "online"


@dataclass(frozen=True, kw_only=True)
class PlaybackStarted:
    """The first sample reached the output."""

    type: ClassVar[str] = "playback_started"
    event_id: str
    started_at: int


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What became of one play event; kept and sent until the server acknowledges it.

    `play_at` and `priority` are the order's or the plan's: by them a play is recorded whose rule is gone by then.
    """

    type: ClassVar[str] = "playback_complete"
    event_id: str
    announcement_id: int
    outcome: Outcome
    started_at: int | None = None
    ended_at: int | None = None
    start_error_us: int | None = None
    played_ms: int | None = None
    error: str = ""
    play_at: int | None = None
    priority: Priority | None = None


@dataclass(frozen=True, kw_only=True)
class MusicStretch:
    """One track that sounded without a break, and is over; kept and sent until the server acknowledges it."""

    report_id: str
    segment_id: str
    music_id: int
    started_at: int
    ended_at: int
    played_ms: int


@dataclass(frozen=True, kw_only=True)
class MusicPlayed:
    """Music that sounded."""

    type: ClassVar[str] = "music_played"
    stretches: tuple[MusicStretch, ...]


@dataclass(frozen=True, kw_only=True)
class CommandResult:
    """What became of a `control` or `test_tone`."""

    type: ClassVar[str] = "command_result"
    command_id: str
    ok: bool
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Goodbye:
    """The speaker leaves on purpose."""

    type: ClassVar[str] = "goodbye"
    reason: str


Outgoing = (
    Hello | TimeProbe | Ack | StatusUpdate | PlaybackStarted | Receipt | MusicPlayed | CommandResult | Goodbye
)


def encode(message: Outgoing, ts: int) -> str:
    """One message to its frame, in an envelope with a fresh id; fields that are None are left out."""
    fields = asdict(message, dict_factory=_without_none)
    return json.dumps({"type": message.type, "id": uuid.uuid4().hex, "ts": ts, **fields}, allow_nan=False)


def _without_none(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in pairs if value is not None}


# --- server → speaker ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What this speaker may send: bytes a message, messages a second, the burst above that."""

    message_bytes: int = 65_536
    messages_per_second: int = 10
    burst: int = 40


@dataclass(frozen=True, kw_only=True)
class Desired:
    """Desired state by revision; `silenced` leaves only emergencies audible."""

    rev: int
    volume: int
    muted: bool = False
    output_delay_ms: int = 0
    silenced: bool = False


@dataclass(frozen=True, kw_only=True)
class Welcome:
    """Answers `hello`."""

    session: str
    desired: Desired
    heartbeat_s: int = 15
    limits: Limits = Limits()
    plan_etag: str = ""
    plan_url: str = ""


@dataclass(frozen=True, kw_only=True)
class TimeReply:
    """Answers `time_probe`: `t2` at its arrival, `t3` at its own departure."""

    n: int
    t1: int
    t2: int
    t3: int


@dataclass(frozen=True, kw_only=True)
class PlayAnnouncement:
    """Play this at `play_at`; see `plays.Play` for the rules."""

    announcement_id: int
    audio_url: str
    volume: int
    event_id: str
    play_at: int
    expires_at: int
    sha256: str
    bytes: int
    mime: str
    duration_ms: int
    gain_db: float = 0.0
    priority: Priority = "instant"
    duck_db: float = -15.0
    late: Late = "skip"
    lead_in_ms: int = 0
    overrides_quiet_hours: bool = False


@dataclass(frozen=True, kw_only=True)
class CancelAnnouncement:
    """Do not start this event, or fade it out."""

    event_id: str


@dataclass(frozen=True, kw_only=True)
class PlanChanged:
    """The plan has another ETag."""

    etag: str = ""


@dataclass(frozen=True, kw_only=True)
class SetDesired:
    """New desired state."""

    rev: int
    volume: int
    muted: bool = False
    output_delay_ms: int = 0
    silenced: bool = False

    def desired(self) -> Desired:
        """The state itself."""
        return Desired(
            rev=self.rev,
            volume=self.volume,
            muted=self.muted,
            output_delay_ms=self.output_delay_ms,
            silenced=self.silenced,
        )


@dataclass(frozen=True, kw_only=True)
class Control:
    """Do this once, unless `expires_at` has passed."""

    command_id: str
    action: Action
    expires_at: int


@dataclass(frozen=True, kw_only=True)
class TestTone:
    """Sound a sine of `hz` for `ms`."""

    command_id: str
    hz: int
    ms: int


@dataclass(frozen=True, kw_only=True)
class ReceiptAck:
    """These receipts and reports of music are committed."""

    event_ids: tuple[str, ...] = ()
    report_ids: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Reconnect:
    """Close and come back after about `after_ms`."""

    after_ms: int


@dataclass(frozen=True, kw_only=True)
class ServerError:
    """What was wrong with the message `re`, or why the socket is about to be closed."""

    code: str
    detail: str = ""
    re: str | None = None


Incoming = (
    Welcome
    | TimeReply
    | PlayAnnouncement
    | CancelAnnouncement
    | PlanChanged
    | SetDesired
    | Control
    | TestTone
    | ReceiptAck
    | Reconnect
    | ServerError
)

INCOMING: dict[str, type[Incoming]] = {
    "welcome": Welcome,
    "time_reply": TimeReply,
    "play_announcement": PlayAnnouncement,
    "cancel_announcement": CancelAnnouncement,
    "plan_changed": PlanChanged,
    "set_desired": SetDesired,
    "control": Control,
    "test_tone": TestTone,
    "receipt_ack": ReceiptAck,
    "reconnect": Reconnect,
    "error": ServerError,
}


@dataclass(frozen=True)
class Junk:
    """A frame that is not a message of this protocol, and why; `event_id` if it could be told from it."""

    why: str
    event_id: str = ""


def decode(frame: str | bytes) -> Incoming | Junk:
    """One frame to its message; what cannot be understood comes back as `Junk`, never as an exception."""
    try:
        document = json.loads(frame)
    except ValueError as error:
        return Junk(f"not JSON: {error}")
    if not isinstance(document, dict):
        return Junk("not an object")
    kind = document.get("type")
    cls = INCOMING.get(kind) if isinstance(kind, str) else None
    if cls is None:
        return Junk(f"unknown type {kind!r}")
    try:
        return build(cls, document)
    except DocumentError as error:
        event_id = document.get("event_id")
        return Junk(f"{kind}: {error}", event_id if isinstance(event_id, str) and len(event_id) == 36 else "")
