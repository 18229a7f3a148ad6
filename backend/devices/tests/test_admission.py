"""Who gets as far as showing a token."""

from __future__ import annotations

from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from devices import admission
from devices.admission import SocketGate, came_by_https, is_own_origin
from devices.protocol import CloseCode

S = 1_000_000


@pytest.mark.parametrize(
    ("origin", "own"),
    [
        ("https://sound.example", True),
        ("https://SOUND.example", True),
        ("https://app.example", True),
        ("https://app.example:8443", False),
        ("https://sound.example.evil.test", False),
        ("https://sound.example@evil.test", False),
        ("https://evil.test/sound.example", False),
        ("null", False),
    ],
)
def test_which_pages(origin: str, own: bool) -> None:
    assert is_own_origin(origin, host="sound.example", allowed=["https://app.example"]) is own


@pytest.mark.parametrize(
    ("scheme", "proto", "proxies", "https"),
    [
        ("wss", "", 0, True),
        ("ws", "https", 1, True),
        ("ws", "https", 0, False),
        ("ws", "http", 1, False),
        ("ws", "", 1, False),
    ],
)
def test_by_https(scheme: str, proto: str, proxies: int, https: bool) -> None:
    assert came_by_https(scheme=scheme, forwarded_proto=proto, trusted_proxies=proxies) is https


def test_one_that_comes_in_a_circle_is_held_off_and_its_neighbours_are_not() -> None:
    gate = SocketGate()
    came = [gate.lets_in("192.0.2.1", "till", now_us=0) for _ in range(admission.CONNECTS + 1)]
    assert came == [True] * admission.CONNECTS + [False]
    assert gate.lets_in("192.0.2.1", "door", now_us=0)
    assert gate.lets_in("192.0.2.2", "till", now_us=0)
    assert gate.lets_in("192.0.2.1", "till", now_us=3 * S)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "MOST_REMEMBERED", 3)
    gate = SocketGate()
    for number in range(9):
        gate.lets_in("192.0.2.1", f"d{number}", now_us=0)
    assert len(gate.seen) == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("headers", "https"), [({"Origin": "https://evil.test"}, False), ({}, True)], ids=["a page", "plain"]
)
async def test_it_is_refused_before_the_upgrade(
    server: Any, headers: dict[str, str], https: bool, settings: Any
) -> None:
    settings.SECURE_SSL_REDIRECT = https
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"ws://127.0.0.1:{server.port}/ws/devices/till/", additional_headers=headers)
    assert refused.value.response.status_code == 403


@pytest.mark.django_db(transaction=True)
async def test_who_comes_too_often_is_told_to_come_back(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "CONNECTS", 1)
    for code in (CloseCode.BAD_TOKEN, CloseCode.OVERLOAD):
        async with connect(f"ws://127.0.0.1:{server.port}/ws/devices/one-in-a-circle/") as socket:
            with pytest.raises(ConnectionClosed):
                await socket.recv()
            assert socket.close_code == code
