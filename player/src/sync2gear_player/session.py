"""One connection's state machine, without I/O: what to send, when, and what a frame means.

`Link` owns the socket and calls in here. A session says `hello` at once, speaks on only after `welcome`, keeps
within the server's limits, probes the clock in bursts and repeats receipts until they are acknowledged.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

from sync2gear_player.clockfilter import Probe
from sync2gear_player.messages import (
    Hello,
    Incoming,
    Junk,
    Limits,
    MusicPlayed,
    MusicStretch,
    Outgoing,
    Receipt,
    ReceiptAck,
    TimeProbe,
    TimeReply,
    Welcome,
    decode,
)

WELCOME_TIMEOUT_US = 10_000_000
SILENT_US = 15_000_000
"""Probes are answered every 10 s: a server that says nothing for so long is gone, whatever the socket believes.

With the back-off's ten seconds a speaker is back within half a minute, whatever befell it.
"""
RECEIPT_REPEAT_US = 15_000_000
PROBE_LOST_US = 2_000_000
BURSTS = (
    (tuple(n * 100_000 for n in range(3)), 700_000),
    (tuple(n * 500_000 for n in range(7)), 10_000_000),
    (tuple(n * 200_000 for n in range(8)), 10_000_000),
)
"""Instants of a burst's probes, and when the next begins (µs from its own beginning); the last one recurs.

Ten probes after the welcome: three at once for a play right after the start, seven 0.5 s apart that show the drift.
"""
STRETCHES_A_MESSAGE = 100
"""About 25 kB, of the 64 KiB that a message may have."""
RESERVE = 4
"""Messages of the allowance that only probes and acknowledgements may use, so that a backlog cannot starve them."""


class Allowance:
    """A token bucket: `rate` messages a second, `burst` at once. One short of both, so as never to be cut off."""

    def __init__(self, rate: int, burst: int, now_us: int) -> None:
        self._rate = max(1, rate - 1) / 1e6
        self._burst = max(1, burst - 1)
        self._tokens = float(self._burst)
        self._at_us = now_us

    def available(self, now_us: int) -> int:
        """How many messages may be sent now."""
        self._tokens = min(self._burst, self._tokens + (now_us - self._at_us) * self._rate)
        self._at_us = now_us
        return int(self._tokens)

    def take(self) -> None:
        """One message was sent."""
        self._tokens -= 1

    def wait_us(self, count: int) -> int:
        """µs until `count` messages may be sent."""
        return math.ceil((count - self._tokens) / self._rate) + 1 if count > self._tokens else 0


class Session:
    """Feed it frames and time (µs of the monotonic clock); it says what to send and what arrived."""

    def __init__(self, hello: Hello, receipts: Iterable[Receipt], now_us: int) -> None:
        self.welcome: Welcome | None = None
        self.welcomed_us: int | None = None
        self._opened_us = self._heard_us = now_us
        self._urgent: deque[Outgoing] = deque([hello])
        self._ordinary: deque[Outgoing] = deque()
        self._receipts: dict[str, Receipt] = {receipt.event_id: receipt for receipt in receipts}
        self._music: dict[str, MusicStretch] = {}
        self._sent_us: dict[str, int] = {}
        self._allowance = Allowance(Limits().messages_per_second, Limits().burst, now_us)
        self._probe_n = 0
        self._probes_out: dict[int, int] = {}
        self._burst_us = now_us
        self._burst_next = 0
        self.burst_number = 0
        """Grows with every burst of probes; a probe belongs to the burst that is current when it is answered."""

    @property
    def receipts_pending(self) -> int:
        """Receipts that the server has not acknowledged."""
        return len(self._receipts)

    def say(self, message: Outgoing, *, urgent: bool = False) -> None:
        """Queues a message; urgent ones (acks, results) go before the rest. Nothing leaves before `welcome`."""
        (self._urgent if urgent else self._ordinary).append(message)

    def owe(self, receipt: Receipt) -> None:
        """Queues a receipt, to be repeated until it is acknowledged."""
        self._receipts[receipt.event_id] = receipt
        self._sent_us.pop(receipt.event_id, None)

    def owe_music(self, stretches: Iterable[MusicStretch]) -> None:
        """Queues stretches of music, to be repeated until they are acknowledged; those that are queued stay."""
        for stretch in stretches:
            self._music.setdefault(stretch.report_id, stretch)

    def failed(self, now_us: int) -> bool:
        """True if the server never answered the `hello`, or has been silent for SILENT_US."""
        return now_us > self._patience_ends_us

    def due(self, now_us: int) -> list[Outgoing]:
        """The messages to send now, in order; probes carry `now_us` as t1. Call it again after sending them."""
        sending: list[Outgoing] = []
        if self.welcome is None:
            if self._urgent and isinstance(self._urgent[0], Hello):
                sending.append(self._urgent.popleft())
            return sending
        room = self._allowance.available(now_us)
        if room > 0 and now_us >= self._next_probe_us():
            if self._burst_next >= len(self._burst[0]):
                self.burst_number += 1
                self._burst_us, self._burst_next = now_us, 0
                self._probes_out.clear()
            self._probe_n += 1
            self._burst_next += 1
            self._probes_out[self._probe_n] = now_us
            sending.append(TimeProbe(n=self._probe_n, t1=now_us))
        while self._urgent and len(sending) < room:
            sending.append(self._urgent.popleft())
        while self._ordinary and len(sending) < room - RESERVE:
            sending.append(self._ordinary.popleft())
        for event_id, receipt in self._receipts.items():
            if len(sending) >= room - RESERVE:
                break
            if now_us >= self._repeat_us(event_id, now_us):
                self._sent_us[event_id] = now_us
                sending.append(receipt)
        if len(sending) < room - RESERVE:
            sending += self._music_due(now_us)
        for _ in sending:
            self._allowance.take()
        return sending

    def wake_us(self, now_us: int) -> int:
        """The monotonic instant at which `due` or `failed` should be asked again if nothing else happens."""
        if self.welcome is None:
            return self._patience_ends_us + 1
        one_at = now_us + self._allowance.wait_us(1)
        waits = [self._patience_ends_us + 1, max(one_at, self._next_probe_us())]
        if self._urgent:
            waits.append(one_at)
        room_at = now_us + self._allowance.wait_us(RESERVE + 1)
        if self._ordinary:
            waits.append(room_at)
        repeats = [self._repeat_us(key, now_us) for key in (*self._receipts, *self._music)]
        if repeats:
            waits.append(max(room_at, min(repeats)))
        return max(now_us, min(waits))

    def received(self, frame: str | bytes, now_us: int) -> Incoming | Junk:
        """Takes one frame that arrived at `now_us`, and returns its message."""
        self._heard_us = now_us
        message = decode(frame)
        match message:
            case Welcome():
                self.welcome = message
                self.welcomed_us = now_us
                limits = message.limits
                self._allowance = Allowance(limits.messages_per_second, limits.burst, now_us)
                self._allowance.take()
                self._burst_us, self._burst_next = now_us, 0
            case ReceiptAck(event_ids=event_ids, report_ids=report_ids):
                for key in (*event_ids, *report_ids):
                    self._receipts.pop(key, None)
                    self._music.pop(key, None)
                    self._sent_us.pop(key, None)
        return message

    def probe_of(self, reply: TimeReply, now_us: int) -> Probe | None:
        """The exchange that a `time_reply` completes; None if it was never asked, or answered too late."""
        t1 = self._probes_out.pop(reply.n, None)
        if t1 is None or t1 != reply.t1 or now_us - t1 > PROBE_LOST_US or reply.t3 < reply.t2:
            return None
        return Probe(t1=t1, t2=reply.t2, t3=reply.t3, t4=now_us)

    def _music_due(self, now_us: int) -> list[MusicPlayed]:
        due = [key for key in self._music if now_us >= self._repeat_us(key, now_us)][:STRETCHES_A_MESSAGE]
        for key in due:
            self._sent_us[key] = now_us
        return [MusicPlayed(stretches=tuple(self._music[key] for key in due))] if due else []

    def _repeat_us(self, key: str, now_us: int) -> int:
        """When a receipt or stretch is to be sent: at once, or again."""
        sent_us = self._sent_us.get(key)
        return now_us if sent_us is None else sent_us + RECEIPT_REPEAT_US

    @property
    def _patience_ends_us(self) -> int:
        return self._opened_us + WELCOME_TIMEOUT_US if self.welcome is None else self._heard_us + SILENT_US

    @property
    def _burst(self) -> tuple[tuple[int, ...], int]:
        return BURSTS[min(self.burst_number, len(BURSTS) - 1)]

    def _next_probe_us(self) -> int:
        offsets, next_after = self._burst
        return self._burst_us + (offsets[self._burst_next] if self._burst_next < len(offsets) else next_after)
