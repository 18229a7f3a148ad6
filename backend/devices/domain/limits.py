"""How much a device may send: a token bucket, pure."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Bucket:
    """Holds up to `burst` tokens and gains `rate` a second. `now_us` may be any monotonic µs clock."""

    rate: float
    burst: int
    tokens: float
    filled_us: int

    @classmethod
    def full(cls, *, rate: float, burst: int, now_us: int) -> Bucket:
        """A bucket that has not been used yet."""
        return cls(rate=rate, burst=burst, tokens=float(burst), filled_us=now_us)

    def take(self, *, now_us: int) -> Bucket | None:
        """The bucket after one message, or None when that message is one too many."""
        gained = max(0, now_us - self.filled_us) / 1e6 * self.rate
        tokens = min(float(self.burst), self.tokens + gained)
        if tokens < 1:
            return None
        return replace(self, tokens=tokens - 1, filled_us=max(now_us, self.filled_us))
