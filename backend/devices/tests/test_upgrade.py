"""However an upgrade comes, in pieces or behind another request, its device gets in."""

from __future__ import annotations

import asyncio

import pytest

pytestmark = pytest.mark.django_db(transaction=True)

PLAIN = "GET /api/devices/self/ HTTP/1.1\r\nHost: localhost\r\n\r\n"


def upgrade(path: str, token: str) -> str:
    return (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: sync2gear.v1\r\nAuthorization: Bearer {token}\r\n\r\n"
    )


async def answers(port: int, *pieces: str) -> list[str]:
    """The status line of each answer, and what stands in the first frame after them."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = []
    for piece in pieces:
        writer.write(piece.encode())
        if piece.endswith("\r\n\r\n"):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            found.append(head.partition("\r\n")[0])
            if "content-length: " in head:
                await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r\n")[0]))
        else:
            await asyncio.sleep(0.05)  # long enough for a piece to be read by itself, as a rule
    if found[-1].startswith("http/1.1 101"):
        hello = b'{"type":"hello","boot_id":"b"}'
        writer.write(bytes((0x81, 0x80 | len(hello))) + bytes(4) + hello)
        frame = await reader.readexactly(20)
        found.append("welcome" if b'"welcome' in frame else repr(frame))
    writer.close()
    return found


WAYS = {
    "in one piece": lambda request: [request],
    "in two": lambda request: [request[:40], request[40:]],
    "behind another request": lambda request: [PLAIN, request],
    "spelt otherwise": lambda request: [request.replace("Upgrade: websocket", "UPGRADE: WebSocket")],
    "with spaces": lambda request: [request.replace("Upgrade: websocket", "Upgrade:   websocket")],
}


async def test_an_upgrade(server, shop, tokens):
    device = shop.devices[0]
    request = upgrade(f"/ws/devices/{device.device_id}/", tokens[device.pk])
    async with asyncio.timeout(20):
        for way, cut in WAYS.items():
            *before, status, greeted = await answers(server.port, *cut(request))
            assert (status, greeted) == ("http/1.1 101 switching protocols", "welcome"), way
            assert [line.split()[1] for line in before] == ["401"] * (way == "behind another request")


REFUSED = {
    ("Upgrade: websocket", "X-Upgrade: websocket"): 404,
    ("Connection: Upgrade", "Connection: close"): 426,
    ("GET /ws/", "POST /ws/"): 405,
    ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8"): 400,
    ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 13\r\nContent-Length: 1"): 400,
}


async def test_what_is_none_is_answered(server, shop, tokens):
    device = shop.devices[0]
    request = upgrade(f"/ws/devices/{device.device_id}/", tokens[device.pk])
    async with asyncio.timeout(20):
        for changed, status in REFUSED.items():
            [line] = await answers(server.port, request.replace(*changed))
            assert int(line.split()[1]) == status, changed
