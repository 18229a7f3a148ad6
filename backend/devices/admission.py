"""Who may open a device socket at all, before any credential is looked at: by HTTPS, from our pages, not too often.

`SocketGate` is pure but for what it remembers: how often each device name came from each address, in this process. A
browser sends `Origin` with every socket, whatever page it is on; a speaker sends none.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from devices.domain.limits import Bucket

CONNECTS = 30
"""Connections of one device from one address at once: a network that flaps, a server that starts anew."""
CONNECTS_PER_S = 0.5
"""And for ever after."""
MOST_REMEMBERED = 50_000
"""Devices; the longest unseen is forgotten first."""


def is_own_origin(origin: str, *, host: str, allowed: Collection[str]) -> bool:
    """Whether a page of `origin` (RFC 6454) may open a socket here: one of this host, or one of CORS_ORIGINS."""
    return origin in allowed or urlsplit(origin).netloc.lower() == host.lower()


def came_by_https(*, scheme: str, forwarded_proto: str, trusted_proxies: int) -> bool:
    """Whether the upgrade came by TLS, as the server itself or a trusted proxy says."""
    return scheme == "wss" or (trusted_proxies > 0 and forwarded_proto in {"https", "wss"})


@dataclass(slots=True)
class SocketGate:
    """Counts connections by address and device, so that one that comes in a circle costs no look-up."""

    seen: OrderedDict[tuple[str, str], Bucket] = field(default_factory=OrderedDict)

    def lets_in(self, address: str, device_id: str, *, now_us: int) -> bool:
        """Whether this connection is one of those that may be; counts it."""
        key = (address, device_id)
        bucket = self.seen.pop(key, None) or Bucket.full(rate=CONNECTS_PER_S, burst=CONNECTS, now_us=now_us)
        left = bucket.take(now_us=now_us)
        self.seen[key] = left or bucket
        if len(self.seen) > MOST_REMEMBERED:
            self.seen.popitem(last=False)
        return left is not None
