"""One device's session as a pure state machine: a message and an instant in, effects out.

The socket (`devices.consumers`) feeds it frames and carries out what it answers: `Reply` is sent, `Report` goes
to the store, `Shut` sends an `error` and closes. Nothing here reads a clock or a row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from devices import protocol
from devices.domain.limits import Bucket
from devices.protocol import CloseCode


@dataclass(frozen=True, slots=True)
class Reply:
    """Send this message. A `TimeReply` gets its `t3` when it is written."""

    message: protocol.Message


@dataclass(frozen=True, slots=True)
class Report:
    """Hand this message of the device to the store."""

    message: protocol.Message


@dataclass(frozen=True, slots=True)
class Welcomed:
    """The device said a valid `hello`: greet it, and deliver what is due."""

    hello: protocol.Hello


@dataclass(frozen=True, slots=True)
class Shut:
    """Send `error` with this code and sentence, then close the socket."""

    close_code: int
    code: str
    detail: str


Effect = Reply | Report | Welcomed | Shut

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What the decoder raises for bytes that are no JSON, no UTF-8, or nested beyond what anybody means."""
NO_JSON = "The message is not JSON that can be read."
NUL = b"\\u0000"
"""No text may hold it, for PostgreSQL keeps none; JSON can write it in no other way."""

REPORTS = (
    protocol.Ack,
    protocol.StatusUpdate,
    protocol.PlaybackStarted,
    protocol.PlaybackComplete,
    protocol.MusicPlayed,
    protocol.CommandResult,
    protocol.Goodbye,
)


@dataclass(slots=True)
class DeviceSession:
    """The protocol's rules for one connection.

    `plain` is a device without the subprotocol: no hello, no limits of its own beyond the common ones, and
    no answers, for it knows none of them.
    """

    plain: bool
    bucket: Bucket
    greeted: bool = False
    reports_music: bool = False
    closed: bool = field(default=False)

    @classmethod
    def opened(cls, *, plain: bool, now_us: int) -> DeviceSession:
        """A session that has just been accepted."""
        bucket = Bucket.full(rate=protocol.MESSAGES_PER_SECOND, burst=protocol.MESSAGE_BURST, now_us=now_us)
        return cls(plain=plain, bucket=bucket, greeted=plain)

    def received(self, frame: str | bytes | None, *, now_us: int) -> list[Effect]:
        """What to do about one frame that arrived at `now_us` (server's clock, µs UTC). None is a binary frame."""
        effects = [] if self.closed else self._received(frame, now_us)
        return [effect for effect in effects if not (self.plain and isinstance(effect, Reply))]

    def _received(self, frame: str | bytes | None, now_us: int) -> list[Effect]:
        left = self.bucket.take(now_us=now_us)
        if left is None:
            limit = f"{protocol.MESSAGES_PER_SECOND} messages a second, bursts of {protocol.MESSAGE_BURST}"
            return self._shut(CloseCode.RATE, "rate", f"More than {limit}.")
        self.bucket = left
        if frame is None:
            return self._shut(CloseCode.MALFORMED, "malformed", "Messages are text frames with JSON.")
        encoded = frame.encode(errors="replace") if isinstance(frame, str) else frame
        if len(encoded) > protocol.MAX_MESSAGE_BYTES:
            return self._shut(
                CloseCode.RATE, "too_large", f"A message has at most {protocol.MAX_MESSAGE_BYTES} bytes."
            )
        if NUL in encoded:
            return [self._error("bad_message", "A text may not contain the character U+0000.", "")]
        try:
            message = protocol.decode_inbound(encoded)
        except msgspec.ValidationError as error:
            return self._misfit(encoded, str(error))
        except UNREADABLE:
            return self._shut(CloseCode.MALFORMED, "malformed", NO_JSON)
        return self._handled(message, now_us)

    def hello_overdue(self) -> list[Effect]:
        """What to do when the time for `hello` is over."""
        if self.greeted or self.closed:
            return []
        return self._shut(
            CloseCode.NO_HELLO, "no_hello", f"No hello within {protocol.HELLO_TIMEOUT_S} seconds."
        )

    def _handled(self, message: protocol.Message, now_us: int) -> list[Effect]:
        if isinstance(message, protocol.TimeProbe):
            return [
                Reply(
                    protocol.TimeReply(
                        id="", ts=now_us, re=message.id or None, n=message.n, t1=message.t1, t2=now_us, t3=0
                    )
                )
            ]
        if isinstance(message, protocol.Hello):
            if self.plain:
                return [self._error("unexpected", "A plain device says no hello.", message.id)]
            if self.greeted:
                return [self._error("unexpected", "hello was said already.", message.id)]
            self.greeted = True
            self.reports_music = protocol.MUSIC_REPORTS in message.capabilities
            return [Welcomed(message)]
        if not self.greeted:
            return [self._error("hello_first", "Say hello first.", message.id)]
        if isinstance(message, protocol.MusicPlayed) and not self.reports_music:
            # Its music is told from its status already: it would be counted twice.
            return [self._error("unexpected", "The hello did not name music_reports.", message.id)]
        if isinstance(message, REPORTS):
            return [Report(message)]
        return []

    def _misfit(self, frame: bytes, why: str) -> list[Effect]:
        """A frame of JSON that fits no message: an unknown type or a wrong field costs an `error`, no more."""
        try:
            parsed: Any = msgspec.json.decode(frame)
        except UNREADABLE:
            return self._shut(CloseCode.MALFORMED, "malformed", NO_JSON)
        if not isinstance(parsed, dict) or not isinstance(parsed.get("type"), str):
            return self._shut(CloseCode.MALFORMED, "malformed", "A message is an object with a type.")
        if parsed["type"] == "hello" and not self.greeted:
            return self._shut(CloseCode.MALFORMED, "malformed", f"This hello cannot be used: {why}")
        known = parsed["type"] in INBOUND_TYPES
        sender_id = parsed.get("id")
        return [
            self._error(
                "bad_message" if known else "unknown_type",
                why,
                sender_id if isinstance(sender_id, str) else "",
            )
        ]

    def _shut(self, close_code: int, code: str, detail: str) -> list[Effect]:
        self.closed = True
        return [Shut(close_code, code, detail)]

    @staticmethod
    def _error(code: str, detail: str, re: str) -> Reply:
        return Reply(protocol.Error(code=code, detail=detail[:1000], re=re[:64] or None))


INBOUND_TYPES = frozenset(str(kind.__struct_config__.tag) for kind in protocol.Inbound.__args__)
