"""The messages of `ws/dashboard/`, each defined once. docs/dashboard-socket.md tells how they go together.

Instants are µs UTC by the server's clock, durations ms, volume 0 to 100.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

SUBPROTOCOL = "sync2gear.dashboard.v1"
HELLO_TIMEOUT_S = 5.0
BEAT_S = 20
"""A page that has heard nothing for twice as long has lost its connection."""
LARGEST_HELLO = 1024
"""Bytes."""
MOST_IDS = 200
"""Keys in one list; of more a page asks the API for the whole list again."""
DEVICES_IN_A_FRAME = 500

Topic = Literal["announcements", "devices", "floors", "music", "playlists", "plays", "schedules", "stops"]
"""A list of the API of which something has changed."""

Instant = Annotated[int, Meta(ge=0, le=2**53)]


class CloseCode:
    """Why the server ends the socket; those that the speakers' socket has too mean the same there."""

    RESTART = 1012
    OVERLOAD = 1013
    MALFORMED = 4400
    BAD_TICKET = 4401
    ENDED = 4403
    NO_HELLO = 4408
    VERSION = 4426


class Hello(Struct, tag="hello", tag_field="type", kw_only=True, frozen=True):
    """The only message of a page, within 5 s. `as_of`: that of the last message it had, when it comes back."""

    as_of: Instant | None = None


class DeviceState(Struct, kw_only=True, frozen=True):
    """A speaker at a glance. It is online until `online_until`, unless more is heard of it (null: never called).

    `reported` is what it last said of itself, `status_update` of the speakers' protocol: `now_playing`, `volume`,
    `buffer_ms` and so on.
    """

    id: int
    floor: int | None
    name: str
    online_until: int | None
    volume: int
    muted: bool
    in_sync: bool
    clock_state: str
    clock_error_us: int | None
    reported: dict[str, Any]


class Welcome(Struct, tag="welcome", tag_field="type", kw_only=True, frozen=True):
    """The first answer. `reload`: what the page has is too old to be brought up to date, ask the API anew.

    Otherwise a `changed` with all that it has missed follows. What is asked of the API after this is not older than
    what is told from here on.
    """

    as_of: Instant
    reload: bool
    beat_s: int = BEAT_S


class Devices(Struct, tag="devices", tag_field="type", kw_only=True, frozen=True):
    """The state of speakers. `fresh`: forget those that are known; more may follow. Else these have changed."""

    as_of: Instant
    devices: list[DeviceState]
    fresh: bool = False


class Changed(Struct, tag="changed", tag_field="type", kw_only=True, frozen=True):
    """Rows were made, changed or removed. By topic their keys; null: many, or not for this reader to be named.

    Whatever it names is asked of the API, which alone says what is true and who may see it.
    """

    as_of: Instant
    topics: dict[Topic, list[str] | None]


class Reload(Struct, tag="reload", tag_field="type", kw_only=True, frozen=True):
    """Something may have been missed: ask the API for everything that is shown. Fresh `devices` follow."""

    as_of: Instant


class Beat(Struct, tag="beat", tag_field="type", kw_only=True, frozen=True):
    """Nothing has happened, and the connection lives."""

    as_of: Instant


class Error(Struct, tag="error", tag_field="type", kw_only=True, frozen=True):
    """Why the socket closes, before it does. `code` is stable, `detail` a sentence for a person."""

    code: str
    detail: str


Inbound = Hello
Outbound = Welcome | Devices | Changed | Reload | Beat | Error

encode = msgspec.json.Encoder().encode
decode_inbound = msgspec.json.Decoder(Inbound).decode
