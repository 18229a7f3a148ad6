"""Device protocol v1: every message of the socket, defined once.

The AsyncAPI document (`docs/asyncapi.json`), the server's decoder and both sides' tests come from these
classes. Wire format: flat JSON objects with a `type`; instants are integer µs UTC, durations ms unless the
name says µs, volume 0–100, gains dB. Unknown fields are ignored; see `docs/device-protocol.md` for the flow.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

SUBPROTOCOL = "sync2gear.v1"
TICKET_SUBPROTOCOL_PREFIX = "ticket."
"""A browser sends `ticket.<ticket>` as a second subprotocol, for it cannot set an Authorization header."""

MUSIC_REPORTS = "music_reports"
"""The capability of a speaker that reports the music it played; others are judged by their status alone."""

MAX_MESSAGE_BYTES = 64 * 1024
MESSAGES_PER_SECOND = 10
MESSAGE_BURST = 40
HEARTBEAT_S = 15
LEASE_S = 45
HELLO_TIMEOUT_S = 5
STRETCHES_A_MESSAGE = 200

LARGEST_INTEGER = 2**53 - 1
"""What every JSON reader holds exactly (RFC 8259 §6), and every column of ours: in µs until the year 2255."""

Volume = Annotated[int, Meta(ge=0, le=100, description="0 to 100, before the speaker's volume curve")]
Instant = Annotated[int, Meta(ge=0, le=LARGEST_INTEGER, description="µs since 1970-01-01T00:00:00Z")]
Count = Annotated[int, Meta(ge=0, le=LARGEST_INTEGER)]
Integer = Annotated[int, Meta(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)]
Code = Annotated[str, Meta(max_length=64)]
Sentence = Annotated[str, Meta(max_length=1000)]
EventId = Annotated[str, Meta(min_length=36, max_length=36, description="UUID of the play event")]
ReportId = Annotated[
    str,
    Meta(
        pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        description="UUID that the speaker gives a stretch of music",
    ),
]

Priority = Literal["emergency", "instant", "timeline", "interval", "playlist"]
Late = Literal["skip", "join"]
ClockState = Literal["unsynced", "synced", "holdover", "untrusted"]
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


class CloseCode:
    """WebSocket close codes; 4xxx are ours (RFC 6455 §7.4.2 leaves that range to applications)."""

    RESTART = 1012
    OVERLOAD = 1013
    MALFORMED = 4400
    BAD_TOKEN = 4401
    FORBIDDEN = 4403
    NO_HELLO = 4408
    SUPERSEDED = 4409
    VERSION = 4426
    RATE = 4429


class Message(Struct, tag_field="type", kw_only=True, frozen=True):
    """The envelope: `type`, `id` fresh for each transmission, `ts` when it was sent, `re` the id answered."""

    id: Annotated[str, Meta(max_length=64)] = ""
    ts: Instant = 0
    re: Annotated[str, Meta(max_length=64)] | None = None


class Clock(Struct, kw_only=True, frozen=True):
    """What a device believes of its own clock. `error_us` bounds its distance from the server's."""

    state: ClockState
    error_us: Count | None = None
    drift_ppb: Integer | None = None
    round_trip_us: Count | None = None


class NowPlaying(Struct, kw_only=True, frozen=True):
    """What sounds: an announcement, a programme segment (`music`), a tone, or nothing."""

    kind: Literal["music", "announcement", "tone", "nothing"]
    id: Annotated[str, Meta(max_length=64)] = ""
    position_ms: Count = 0


# --- device → server -------------------------------------------------------------------------------------


class Hello(Message, tag="hello", kw_only=True, frozen=True):
    """First message of a v1 session, within 5 s of the upgrade."""

    boot_id: Annotated[str, Meta(min_length=1, max_length=64)]
    software: Annotated[str, Meta(max_length=120)] = ""
    capabilities: Annotated[list[Code], Meta(max_length=64)] = []
    plan_etag: Annotated[str, Meta(max_length=128)] = ""
    applied_rev: Count = 0
    clock: Clock = Clock(state="unsynced")
    required_lead_ms: Annotated[int, Meta(ge=0, le=60_000)] = 0
    output_delay_ms: Annotated[int, Meta(ge=0, le=10_000)] = 0


class TimeProbe(Message, tag="time_probe", kw_only=True, frozen=True):
    """Asks the time. `t1` is the device's monotonic clock in µs and is only echoed."""

    n: Count
    t1: Integer


class Ack(Message, tag="ack", kw_only=True, frozen=True):
    """Says what the device did with a `play_announcement`, before its instant."""

    event_id: EventId
    state: AckState
    reason: Code = ""


class StatusUpdate(Message, tag="status_update", kw_only=True, frozen=True):
    """The device's lease and health: every 15 s and on change. `status` alone is the brief's plain form."""

    status: Annotated[str, Meta(max_length=20)] = "online"
    volume: Volume | None = None
    muted: bool | None = None
    now_playing: NowPlaying | None = None
    applied_rev: Count | None = None
    clock: Clock | None = None
    buffer_ms: Count | None = None
    underruns: Count | None = None
    cache_bytes: Count | None = None
    receipts_pending: Count | None = None


class PlaybackStarted(Message, tag="playback_started", kw_only=True, frozen=True):
    """The first sample of an announcement reached the output at `started_at`."""

    event_id: EventId
    started_at: Instant


class PlaybackComplete(Message, tag="playback_complete", kw_only=True, frozen=True):
    """The receipt of a play, sent until `receipt_ack`. A plain device knows only `announcement_id`.

    `play_at` and `priority` are those of the order or the plan: the play stays on the record when its rule was
    changed while the device was away. With `skipped_quiet`, `error` is the silence's reason.
    """

    event_id: EventId | None = None
    announcement_id: Integer | None = None
    outcome: Outcome = "played"
    started_at: Instant | None = None
    ended_at: Instant | None = None
    start_error_us: Integer | None = None
    played_ms: Count | None = None
    error: Sentence = ""
    play_at: Instant | None = None
    priority: Priority | None = None


class MusicStretch(Struct, kw_only=True, frozen=True):
    """One track that sounded without a break, and is over. `segment_id` and `music_id` are the plan's.

    Sounding means neither muted, paused, stopped, silenced nor at volume 0; ducked music sounds. `played_ms` are
    the samples that reached the output.
    """

    report_id: ReportId
    segment_id: Annotated[str, Meta(min_length=1, max_length=64)]
    music_id: Count
    started_at: Instant
    ended_at: Instant
    played_ms: Count


class MusicPlayed(Message, tag="music_played", kw_only=True, frozen=True):
    """Music that sounded, sent until `receipt_ack` names its reports. Needs the capability `music_reports`."""

    stretches: Annotated[list[MusicStretch], Meta(min_length=1, max_length=STRETCHES_A_MESSAGE)]


class CommandResult(Message, tag="command_result", kw_only=True, frozen=True):
    """What became of a `control` or `test_tone`."""

    command_id: Annotated[str, Meta(max_length=64)]
    ok: bool
    error: Sentence = ""


class Goodbye(Message, tag="goodbye", kw_only=True, frozen=True):
    """The device leaves on purpose; its lease still decides when it is offline."""

    reason: Code = ""


Inbound = (
    Hello
    | TimeProbe
    | Ack
    | StatusUpdate
    | PlaybackStarted
    | PlaybackComplete
    | MusicPlayed
    | CommandResult
    | Goodbye
)


# --- server → device -------------------------------------------------------------------------------------


class Limits(Struct, kw_only=True, frozen=True):
    """What a device may send: bytes a message, messages a second, and the burst above that."""

    message_bytes: int = MAX_MESSAGE_BYTES
    messages_per_second: int = MESSAGES_PER_SECOND
    burst: int = MESSAGE_BURST


class Desired(Struct, kw_only=True, frozen=True):
    """Desired state, numbered by `rev`: only a newer one is applied."""

    rev: Count
    volume: Volume
    muted: bool = False
    output_delay_ms: int = 0
    silenced: bool = False
    """True while the business is locked (trial over, suspended): only emergencies sound."""


class Welcome(Message, tag="welcome", kw_only=True, frozen=True):
    """Answers `hello`. `plan_url` is where this device fetches its plan."""

    session: str
    heartbeat_s: int = HEARTBEAT_S
    limits: Limits = Limits()
    desired: Desired
    plan_etag: str = ""
    plan_url: str = ""


class TimeReply(Message, tag="time_reply", kw_only=True, frozen=True):
    """`t2` when the probe arrived, `t3` when this left, both µs UTC of the server's clock."""

    n: Count
    t1: Integer
    t2: Instant
    t3: Instant


class PlayAnnouncement(Message, tag="play_announcement", kw_only=True, frozen=True):
    """Play this at `play_at`. The first three fields are the brief's, and all that a plain device gets.

    `audio_url` may be a relative reference (RFC 3986 §4.2): it is resolved against the server's origin.
    `duck_db` is the music's level under the announcement (−15 or so; −120 mutes). `lead_in_ms` of the clip
    are a chime: the words start that much after `play_at`.
    """

    announcement_id: int
    audio_url: str
    volume: Volume
    event_id: EventId
    play_at: Instant
    expires_at: Instant
    sha256: str
    bytes: Count
    mime: str
    duration_ms: Count
    gain_db: float = 0.0
    priority: Priority = "instant"
    duck_db: float = -15.0
    late: Late = "skip"
    lead_in_ms: Count = 0
    overrides_quiet_hours: bool = False
    """A person asked for it in spite of quiet hours: a silence with that reason does not stop it."""
    title: str = ""
    """What people call it: for those who look at the speaker."""


class CancelAnnouncement(Message, tag="cancel_announcement", kw_only=True, frozen=True):
    """Do not start this event; one that sounds already is faded out within 0.5 s."""

    event_id: EventId


class PlanChanged(Message, tag="plan_changed", kw_only=True, frozen=True):
    """The plan has another ETag now: fetch it."""

    etag: str = ""


class SetDesired(Message, tag="set_desired", kw_only=True, frozen=True):
    """State, not a command: apply it if `rev` is newer than what is applied, and report it."""

    rev: Count
    volume: Volume
    muted: bool = False
    output_delay_ms: int = 0
    silenced: bool = False


class Control(Message, tag="control", kw_only=True, frozen=True):
    """Do this once, unless `expires_at` has passed."""

    command_id: str
    action: Action
    expires_at: Instant


class TestTone(Message, tag="test_tone", kw_only=True, frozen=True):
    """Sound a sine of `hz` for `ms`."""

    command_id: str
    hz: Annotated[int, Meta(ge=20, le=20_000)]
    ms: Annotated[int, Meta(ge=50, le=10_000)]


class ReceiptAck(Message, tag="receipt_ack", kw_only=True, frozen=True):
    """These receipts and reports of music are committed; the device may forget them."""

    event_ids: list[EventId] = []
    report_ids: list[ReportId] = []


class Reconnect(Message, tag="reconnect", kw_only=True, frozen=True):
    """Close and come back after about `after_ms`."""

    after_ms: Count


class Error(Message, tag="error", kw_only=True, frozen=True):
    """What was wrong with the message `re`, or why the socket is about to be closed."""

    code: Code
    detail: Sentence = ""


Outbound = (
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
    | Error
)

decode_inbound = msgspec.json.Decoder(Inbound).decode
"""Parses one frame; raises `msgspec.ValidationError` (shape) or `msgspec.DecodeError` (not JSON)."""

encode = msgspec.json.Encoder().encode
"""One message to its frame (UTF-8 JSON bytes)."""


def schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema 2020-12 of every message by its `type`, with its components under `$defs`."""
    found: dict[str, dict[str, Any]] = {}
    for message in (*Inbound.__args__, *Outbound.__args__):
        found[message.__struct_config__.tag] = msgspec.json.schema(message)
    return found
