"""Frames of the wire that are built once."""

from __future__ import annotations

import msgspec
import pytest
from websockets.frames import Frame, Opcode

from devices import protocol
from devices.frames import Orders, built


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 70_000])
def test_a_frame_is_what_a_websocket_library_would_write(size):
    payload = b"x" * size
    assert built(payload).wire == Frame(Opcode.TEXT, payload).serialize(mask=False)


def test_an_order_is_the_same_as_one_that_is_encoded_whole():
    common = protocol.PlayAnnouncement(
        announcement_id=7,
        audio_url='/media/"ä"',
        volume=1,
        event_id="0" * 36,
        play_at=1,
        expires_at=2,
        sha256="",
        bytes=1,
        mime="audio/mpeg",
        duration_ms=1000,
        late="join",
        overrides_quiet_hours=True,
    )
    orders = Orders(common)
    for number in (1, 2):
        own = {"id": f"t{number}", "ts": 5, "event_id": f"{number}" * 36, "volume": 60}
        own |= {"play_at": 10**15 + number, "expires_at": 2**53 - 1}
        sent = orders.of(**own)
        assert msgspec.json.decode(sent, type=protocol.PlayAnnouncement) == msgspec.structs.replace(
            common, **own
        )
        assert sent.startswith(b'{"type":"play_announcement",')
