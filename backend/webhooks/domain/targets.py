"""Where a webhook may be sent: the URL's form, and which addresses its name may resolve to. Pure.

A business names the URL, so our server must not become its way into networks that it cannot reach itself
(server-side request forgery). The form is refused when the webhook is made; the addresses are looked at before
every single connection, and the connection goes to an address that was looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import SplitResult, urlsplit

Network = IPv4Network | IPv6Network

LONGEST_URL = 2000
PORTS = {"https": 443, "http": 80}
"""The schemes there are, and their ports."""
FIRST_FREE_PORT = 1024
"""Below it only the scheme's own port: mail, SSH and the like listen there."""

NAME = re.compile(
    r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
)
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A last label that makes a resolver read the whole as an IPv4 address, in one of its old spellings."""

NOT_PUBLIC: tuple[Network, ...] = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # carrier-grade NAT
            "127.0.0.0/8",  # loopback
            "169.254.0.0/16",  # link-local, and the clouds' metadata
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
            "2001::/23",  # protocol assignments: Teredo and others that carry an IPv4 address inside
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4, an IPv4 address inside
            "3fff::/20",  # documentation
        ),
    )
)
"""IANA's special-purpose registries, IPv4 whole; of IPv6 what lies inside GLOBAL_UNICAST."""
GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All else of IPv6 is refused: loopback, unspecified, IPv4-mapped and -compatible, NAT64, local, multicast."""


class TargetRefused(Exception):
    """Nothing may be sent there. `detail` is a sentence for the person who named it."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Target:
    """A URL in its parts. `host` is a name in lower case or an address without brackets; `path` has the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def parse(url: str) -> Target:
    """The parts of a URL that may name a target; raises `TargetRefused` with the reason."""
    if len(url) > LONGEST_URL or not re.fullmatch(r"[!-~]+", url) or "\\" in url:
        raise TargetRefused(f"Use at most {LONGEST_URL} ASCII characters without spaces and backslashes.")
    try:
        parts = urlsplit(url)
        host, port = _host(parts), parts.port
    except ValueError:
        raise TargetRefused("This is no URL.") from None
    if parts.scheme not in PORTS:
        raise TargetRefused("Only https:// is served.")
    if "@" in parts.netloc:
        raise TargetRefused(
            "A user name or password in the URL is not sent; put what identifies you in the path."
        )
    if parts.fragment:
        raise TargetRefused("What follows a # is never sent; leave it out.")
    own = PORTS[parts.scheme]
    if port is not None and port != own and port < FIRST_FREE_PORT:
        raise TargetRefused(f"Use port {own}, or one from {FIRST_FREE_PORT} up.")
    query = f"?{parts.query}" if parts.query else ""
    return Target(parts.scheme, host, port or own, (parts.path or "/") + query)


def _host(parts: SplitResult) -> str:
    """The host, if it is a plain name or a plain address."""
    host = (parts.hostname or "").removesuffix(".")
    if ":" in host or "[" in parts.netloc:
        if "%" in host:
            raise TargetRefused("An address with a zone belongs to one machine's own network.")
        return str(IPv6Address(host))
    if NUMBER.fullmatch(host.rpartition(".")[2]):
        return str(IPv4Address(host))  # `127.1`, `0x7f.1` and `2130706433` are no URLs to us
    if not NAME.fullmatch(host):
        raise TargetRefused("The host is no name; write one with other letters as punycode (xn--…).")
    return host


def is_public(address: str) -> bool:
    """Whether this address, as a resolver gives it, is a machine on the public internet."""
    if "%" in address:
        return False
    ip = ip_address(address)
    if isinstance(ip, IPv6Address) and ip not in GLOBAL_UNICAST:
        return False
    return not _within(ip, NOT_PUBLIC)


def _within(ip: IPv4Address | IPv6Address, networks: Iterable[Network]) -> bool:
    return any(ip.version == network.version and ip in network for network in networks)


def refuse_addresses(target: Target, addresses: Sequence[str], own: Iterable[Network] = ()) -> None:
    """Raises `TargetRefused` unless all addresses of the target may be connected to.

    All, because a name with one public and one private address would let the caller choose. `own` are networks
    that the operator of this server has opened; only there plain HTTP is spoken.
    """
    opened = tuple(own)
    for address in addresses:
        ours = "%" not in address and _within(ip_address(address), opened)
        if not ours and not is_public(address):
            raise TargetRefused("Its address is not on the public internet.")
        if not ours and target.scheme == "http":
            raise TargetRefused("Only https:// is served.")
