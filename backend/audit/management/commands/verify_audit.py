"""`manage.py verify_audit`: reads the audit trail against its chains. docs/audit.md says how to work with it."""

from __future__ import annotations

import re
import sys
from datetime import timedelta
from itertools import chain as in_turn
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from audit import append_only, verification
from audit.domain.chain import BEGINNING, Head
from common import clock

TAMPERED = 1
UNUSABLE = 2
UNGUARDED = 3
"""Exit statuses. 0: all as it was written. UNGUARDED: that too, but nothing seals, or the triggers are gone."""

_LINE = re.compile(r"head (\d+) (\d+) ([0-9a-f]{64})")


class Command(BaseCommand):
    """Finds changed, missing, inserted and moved entries."""

    help = (
        "Verify the audit trail. Prints the head of each intact chain to standard output, to be kept elsewhere, and"
        " what is wrong to standard error. Exit status: 0 intact, 1 tampered with, 2 not to be judged, 3 intact but"
        " not guarded (nothing seals, or triggers are missing)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """`--client`, `--from` and `--kept-days`."""
        parser.add_argument("--client", type=int, help="this business's chain alone; 0 is sync2gear's own")
        parser.add_argument(
            "--from",
            dest="noted",
            type=Path,
            metavar="FILE",
            help="heads that an earlier run printed: they must still stand, and only what follows them is read",
        )
        parser.add_argument(
            "--kept-days",
            type=int,
            help="entries may have been cut off after so many days; without it, after KEEP_AUDIT_DAYS as it is now",
        )

    def handle(
        self, *args: Any, client: int | None, noted: Path | None, kept_days: int | None, **options: Any
    ) -> None:
        """Chain by chain."""
        kept = settings.KEEP.audit if kept_days is None else timedelta(days=kept_days)
        known = verification.chains()
        starts = _read(noted) if noted else {}
        wanted = sorted({*known, *starts}) if client is None else [client]
        if client is not None and client not in known and client not in starts:
            raise CommandError(f"There is no chain {client}.", returncode=UNUSABLE)
        entries = faults = 0
        for chain in wanted:
            beginning = None
            while beginning != verification.start_of(chain):  # again, if it was cut meanwhile
                beginning, head = verification.start_of(chain), verification.head_of(chain)
                start = starts.get(chain, beginning)
                wrong = 0
                for finding in in_turn(
                    verification.verify_start(chain, kept=kept, now=clock.now()),
                    verification.verify(chain, start=start, head=head),
                ):
                    wrong += 1
                    row = f", id {finding.entry}" if finding.entry else ""
                    self.stderr.write(
                        f"chain {chain}, number {finding.number}{row}: {finding.what}. {finding.detail}"
                    )
            if not wrong and head != BEGINNING:
                self.stdout.write(f"head {chain} {head.number} {head.hash}")
            faults += wrong
            entries += max(0, head.number - start.number)
        self.stderr.write(f"{entries} entries in {len(wanted)} chains read, {faults} faults.")
        unguarded = self._unguarded()
        if faults:
            sys.exit(TAMPERED)
        if unguarded:
            sys.exit(UNGUARDED)

    def _unguarded(self) -> bool:
        absent = append_only.missing(connection)
        for name in absent:
            self.stderr.write(
                f"The trigger {name} is not there: the database would let the trail be changed."
            )
        waiting = verification.unsealed_since(now=clock.now())
        if waiting is not None:
            self.stderr.write(
                f"Entries wait to be sealed since {waiting:%F %T} UTC: is the periodic work running?"
            )
        return bool(absent) or waiting is not None


def _read(noted: Path) -> dict[int, Head]:
    """The heads of an earlier run; other lines are passed over."""
    try:
        lines = noted.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{noted} cannot be read: {error}", returncode=UNUSABLE) from None
    matches = [match for match in map(_LINE.fullmatch, lines) if match]
    if not matches:
        raise CommandError(f"{noted} holds no line of the form: head CHAIN NUMBER HASH", returncode=UNUSABLE)
    return {int(chain): Head(int(number), digest) for chain, number, digest in (m.groups() for m in matches)}
