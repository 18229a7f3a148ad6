"""Conflicts the slow way: a device that tries every tenth of a second, with all instants on tenths."""

from __future__ import annotations

from typing import Any

TENTH = 100_000
RANKS = {"emergency": 0, "instant": 1, "timeline": 2, "interval": 3, "playlist": 4}


def resolve(case: dict[str, Any]) -> dict[str, Any]:
    """{"plays": [[event, start, end, cut by]], "losers": [[event, reason, by, at]]} of a case, in µs."""
    taken: dict[int, str] = {}  # tenth -> who sounds
    plays: dict[str, list[Any]] = {}
    losers: list[list[Any]] = []
    claims = sorted(case["claims"], key=lambda c: (RANKS[c["priority"]], c["at"], c["event_id"]))
    urgent = [c for c in claims if c["priority"] == "emergency"]
    others = [c for c in claims if c["priority"] != "emergency"]
    for group in (urgent, others):
        for claim in group:
            if claim.get("started_at") is not None:
                _sound(claim, claim["started_at"], taken, plays, losers)
        for claim in group:
            if claim.get("started_at") is None:
                _wait(claim, case["now"], taken, plays, losers)
    return {"plays": sorted(plays.values(), key=lambda play: play[1]), "losers": sorted(losers)}


def _sound(
    claim: dict[str, Any], start: int, taken: dict[int, str], plays: dict[str, list[Any]], losers: list[Any]
) -> None:
    name = claim["event_id"]
    for tenth in range(start // TENTH, (start + claim["duration_us"]) // TENTH):
        if tenth in taken:
            if tenth * TENTH > start:
                plays[name] = [name, start, tenth * TENTH, taken[tenth]]
            losers.append([name, "superseded", taken[tenth], tenth * TENTH])
            break
    else:
        plays[name] = [name, start, start + claim["duration_us"], None]
    for tenth in range(start // TENTH, plays[name][2] // TENTH if name in plays else 0):
        taken[tenth] = name


def _wait(
    claim: dict[str, Any], now: int, taken: dict[int, str], plays: dict[str, list[Any]], losers: list[Any]
) -> None:
    tenth, length = max(claim["at"], now) // TENTH, claim["duration_us"] // TENTH
    by = None
    while any(tenth + i in taken for i in range(length)):
        by = next(taken[tenth + i] for i in range(length) if tenth + i in taken)
        tenth += 1
    if tenth * TENTH >= claim["expires_at"]:
        losers.append([claim["event_id"], "expired", by, claim["expires_at"]])
    else:
        start = tenth * TENTH
        plays[claim["event_id"]] = [claim["event_id"], start, start + claim["duration_us"], None]
        for i in range(length):
            taken[tenth + i] = claim["event_id"]


def gain(case: dict[str, Any]) -> list[float]:
    """The music's gain at each of the case's instants: one announcement after the other, second by second."""
    gains = []
    for at in case["at"]:
        least = 1.0
        for start, end, db in case["plays"]:
            depth = 0.0 if db is None else 10 ** (db / 20)
            if at <= start - 500_000 or at >= end + 1_500_000:
                left = 1.0
            elif at < start:
                left = 1.0 - (1.0 - depth) * (at - (start - 500_000)) / 500_000
            elif at <= end:
                left = depth
            else:
                left = depth + (1.0 - depth) * (at - end) / 1_500_000
            least = min(least, left)
        gains.append(least)
    return gains
