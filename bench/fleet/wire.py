"""The wire as a lean client sees it: WebSocket frames (RFC 6455) with our messages in them, and MQTT 3.1.1 packets."""

from __future__ import annotations

import struct

NO_MASK = b"\0\0\0\0"
"""A client must mask (RFC 6455 §5.3); with this key masking costs the client nothing."""
TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA


def client_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """One whole frame from a client, of less than 64 KiB."""
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + struct.pack("!H", size)
    return bytes((0x80 | opcode,)) + length + NO_MASK + payload


def server_frame(data: bytes) -> tuple[int, bytes, int] | None:
    """Opcode, payload and length of the first frame of a server, of less than 64 KiB; None while it is not whole."""
    if len(data) < 2:
        return None
    size, begin = data[1], 2
    if size == 126:
        if len(data) < 4:
            return None
        size, begin = data[2] << 8 | data[3], 4
    if len(data) < begin + size:
        return None
    return data[0] & 0x0F, data[begin : begin + size], begin + size


class Speaker:
    """A device of ours at a WebSocket server: upgrade, hello, and an `ack` for each `play_announcement`."""

    whole = staticmethod(server_frame)

    def __init__(self, *, host: str, device_id: str, token: str, hello: bytes) -> None:
        self._hello = client_frame(hello)
        self.opening = (
            f"GET /ws/devices/{device_id}/ HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sync2gear.v1\r\n"
            f"Authorization: Bearer {token}\r\n\r\n"
        ).encode()
        self.upgraded = False

    def opened(self, data: bytes) -> tuple[bytes, int, bool] | None:
        """While it gets in: what to answer, how many bytes were understood, and whether the device is in."""
        if not self.upgraded:
            head, found, _ = data.partition(b"\r\n\r\n")
            if not found:
                return None
            assert head.startswith(b"HTTP/1.1 101"), head
            self.upgraded = True
            return self._hello, len(head) + 4, False
        frame = server_frame(data)
        if frame is None:
            return None
        assert frame[1].startswith(b'{"type":"welcome"'), frame
        return b"", frame[2], True

    @staticmethod
    def answer(kind: int, body: bytes) -> tuple[bytes, bool]:
        """What the device says to a frame, and whether the frame was a message that counts."""
        if kind == TEXT and body.startswith(b'{"type":"play_announcement"'):
            at = body.index(b'"event_id":"') + 12
            return client_frame(b'{"type":"ack","event_id":"%b","state":"armed"}' % body[at : at + 36]), True
        if kind == TEXT:
            return b"", body.startswith(b'{"type":"plan_changed"')
        assert kind == PING, (kind, body)
        return client_frame(body, PONG), False


TOPIC = b"fleet"


def packet(data: bytes) -> tuple[int, bytes, int] | None:
    """First byte, body and length of the first MQTT packet (MQTT 3.1.1 §2.2); None while it is not whole."""
    size = shift = 0
    for at, byte in enumerate(data[1:5], 2):
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return (data[0], data[at : at + size], at + size) if len(data) >= at + size else None
    return None


def mqtt(first: int, body: bytes) -> bytes:
    """One MQTT packet of less than 16 KiB."""
    size = len(body)
    length = bytes((size,)) if size < 128 else bytes((size & 0x7F | 0x80, size >> 7))
    return bytes((first,)) + length + body


def text(value: bytes) -> bytes:
    """A string of MQTT."""
    return struct.pack("!H", len(value)) + value


def connect(name: bytes) -> bytes:
    """CONNECT with a clean session and no keep-alive."""
    return mqtt(0x10, text(b"MQTT") + b"\x04\x02\0\0" + text(name))


def publish(payload: bytes) -> bytes:
    """PUBLISH with QoS 1."""
    return mqtt(0x32, text(TOPIC) + b"\0\x01" + payload)


class Subscriber:
    """A subscriber with QoS 1 at an MQTT broker: the same message, and a PUBACK for it."""

    whole = staticmethod(packet)

    def __init__(self, *, device_id: str) -> None:
        self.opening = connect(device_id.encode())

    def opened(self, data: bytes) -> tuple[bytes, int, bool] | None:
        """As a speaker's: SUBSCRIBE after CONNACK, and it is in after SUBACK."""
        found = packet(data)
        if found is None:
            return None
        if found[0] == 0x20:
            assert found[1] == b"\0\0", found
            return mqtt(0x82, b"\0\x01" + text(TOPIC) + b"\x01"), found[2], False
        assert found[0] == 0x90, found
        return b"", found[2], True

    @staticmethod
    def answer(kind: int, body: bytes) -> tuple[bytes, bool]:
        """As a speaker's."""
        assert kind & 0xF0 == 0x30, (kind, body)
        at = 2 + int.from_bytes(body[:2])
        return mqtt(0x40, body[at : at + 2]), True


Device = Speaker | Subscriber
