"""Names and addresses: which Host headers a server that others may reach accepts."""

from __future__ import annotations

import ipaddress

import pytest

from core.embedded import network

NAMES = ("till", "till.local")
ADDRESSES = ("192.168.1.20", "fd00::20")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", ()),
        ("127.8.8.8", ()),
        ("localhost", ()),
        ("::1", ()),
        ("0.0.0.0", (*NAMES, "192.168.1.20", "[fd00::20]")),  # noqa: S104
        ("::", (*NAMES, "192.168.1.20", "[fd00::20]")),
        ("192.168.1.20", (*NAMES, "192.168.1.20")),
        ("fd00::20", (*NAMES, "[fd00::20]")),
        ("till.shop.example", (*NAMES, "192.168.1.20", "[fd00::20]", "till.shop.example")),
    ],
)
def test_only_this_machine_s_own_names_are_let_in(host: str, expected: tuple[str, ...]) -> None:
    assert network.hosts_of(host, NAMES, ADDRESSES) == expected


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),  # noqa: S104
        ("::", "http://127.0.0.1:80"),
        ("::1", "http://[::1]:80"),
        ("till.local", "http://till.local:80"),
    ],
)
def test_the_url_is_one_that_can_be_typed(host: str, url: str) -> None:
    assert network.url_of(host, 80) == url


def test_this_machine_can_be_asked() -> None:
    assert all(network.own_names())
    for address in network.own_addresses():
        assert not ipaddress.ip_address(address.partition("%")[0]).is_loopback
