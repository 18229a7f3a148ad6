"""Under which names and addresses this machine is reached, so that speakers of the same network may call it."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Iterable

ELSEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses for documentation (RFC 5737, RFC 3849). A UDP socket "connected" to one sends nothing, but tells
which of our own addresses would be used."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def own_addresses() -> tuple[str, ...]:
    """The addresses by which the network reaches this machine, the one of its default route first."""
    found: list[str] = []
    for family, far_away in ELSEWHERE.items():
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((far_away, 9))
            except OSError:  # no route: this machine has no network of that family
                continue
            found.append(probe.getsockname()[0])
    with contextlib.suppress(socket.gaierror):  # not every machine can resolve its own name
        found += [str(entry[4][0]) for entry in socket.getaddrinfo(socket.gethostname(), None)]
    return tuple(dict.fromkeys(address for address in found if not is_loopback(address)))


def own_names() -> tuple[str, ...]:
    """This machine's name, and the one that multicast DNS gives it (RFC 6762)."""
    name = socket.gethostname().lower()
    short = name.partition(".")[0]
    return tuple(dict.fromkeys((name, short, f"{short}.local")))


def hosts_of(host: str, names: Iterable[str], addresses: Iterable[str]) -> tuple[str, ...]:
    """What ALLOWED_HOSTS must hold besides loopback for a server that listens on `host`.

    Only names and addresses of this very machine: a foreign name in a Host header, as DNS rebinding sends it,
    stays refused. Nothing for a server on loopback.
    """
    if is_loopback(host):
        return ()
    literal = [address for address in addresses if _is_address(address)]
    if _is_address(host) and not ipaddress.ip_address(host).is_unspecified:
        literal = [host]
    return tuple(dict.fromkeys([*names, *map(_in_url, literal), *([] if _is_address(host) else [host])]))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def _in_url(address: str) -> str:
    """An address as it stands in a URL (RFC 3986 §3.2.2)."""
    return f"[{address}]" if ":" in address else address


def url_of(host: str, port: int) -> str:
    """The URL of a server, as a person on this machine types it."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}.get(host, host)  # noqa: S104  # shown, not bound
    return f"http://{_in_url(shown)}:{port}"
