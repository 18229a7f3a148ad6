"""`make audit`: whether a pinned version is known to have a hole, asked of OSV (https://osv.dev) in one request.

A mirror of a package index has no advisories, and an audit that asks one passes for having asked nobody. So the first
version asked about is one that is known to be bad: if that is not found, nothing was audited, and the status says so.

Exit status: 0 nothing is known; 1 something is; 75 (EX_TEMPFAIL) nobody who knows was reached.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import httpx

LOCK = Path(__file__).resolve().parents[2] / "requirements.lock"
SOURCE = "https://api.osv.dev"
"""`OSV_URL` names another that speaks its API (https://google.github.io/osv.dev/api/)."""
KNOWN_BAD = ("django", "4.2.0")
PATIENCE_S = 20.0
NOBODY_KNOWS = 75


@dataclass(frozen=True, slots=True)
class Accepted:
    """A finding that we live with for now: why, and until when."""

    why: str
    until: date


ACCEPTED: dict[str, Accepted] = {}
"""By the advisory's id (`GHSA-…`, `PYSEC-…`). One whose day has come is a finding again."""


class NobodyKnows(Exception):
    """The advisories could not be asked."""


def pinned(lock: Path) -> list[tuple[str, str]]:
    """Name and version of each line of a lock; some have a version for each Python."""
    return re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", lock.read_text(), re.MULTILINE)


def known_holes(wanted: list[tuple[str, str]], *, source: str) -> dict[tuple[str, str], list[str]]:
    """The ids of the advisories for each version that has some; raises `NobodyKnows`."""
    asked = [KNOWN_BAD, *wanted]
    queries = [
        {"package": {"ecosystem": "PyPI", "name": name}, "version": version} for name, version in asked
    ]
    try:
        answer = httpx.post(f"{source}/v1/querybatch", json={"queries": queries}, timeout=PATIENCE_S)
        answer.raise_for_status()
        results = answer.json()["results"]
        found = [[each["id"] for each in result.get("vulns", ())] for result in results]
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NobodyKnows(f"{source}: {error}") from error
    if len(found) != len(asked) or not found[0]:
        raise NobodyKnows(f"{source} does not know of {'=='.join(KNOWN_BAD)}, which is known to be bad")
    return {each: ids for each, ids in zip(wanted, found[1:], strict=True) if ids}


def main(lock: Path = LOCK, *, today: date | None = None) -> int:
    """Prints what is known, and returns the exit status."""
    today = today or date.today()  # noqa: DTZ011  # a day of grace more or less, on whatever machine it runs
    wanted = pinned(lock)
    try:
        holes = known_holes(wanted, source=os.environ.get("OSV_URL", SOURCE).rstrip("/"))
    except NobodyKnows as error:
        print(
            f"NOT AUDITED: the advisories were not reached, nothing is known of {len(wanted)} packages. {error}"
        )
        return NOBODY_KNOWS
    open_ = 0
    for (name, version), ids in sorted(holes.items()):
        for number in ids:
            accepted = ACCEPTED.get(number)
            lives = accepted is not None and today < accepted.until
            open_ += not lives
            reason = f" (accepted until {accepted.until}: {accepted.why})" if accepted and lives else ""
            print(f"{name}=={version}: {number}{reason}")
    print(f"{len(wanted)} packages audited, {open_} findings.")
    return 1 if open_ else 0


if __name__ == "__main__":
    sys.exit(main())
