"""`manage.py forget_old`: removes what is older than the time it is kept, now. docs/retention.md has the table."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from common import clock
from common.tenancy import system_scope
from core import retention


class Command(BaseCommand):
    """The periodic work by hand: to see what would go, or after a time was made shorter."""

    help = (
        "Remove rows that are older than the time they are kept (KEEP_…_DAYS), in small batches beside a running"
        " server. It may be stopped anywhere, and goes on the next time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """`--dry-run`, `--seconds` and `--without-rest`."""
        parser.add_argument(
            "--dry-run", action="store_true", help="remove nothing; tell how many rows would go"
        )
        parser.add_argument("--seconds", type=float, default=3600.0, help="stop after this long (3600)")
        parser.add_argument(
            "--without-rest", action="store_true", help="as fast as it goes, where nobody else is at work"
        )

    def handle(self, *args: Any, dry_run: bool, seconds: float, without_rest: bool, **options: Any) -> None:
        """Table by table."""
        now = clock.now()
        if dry_run:
            with system_scope("old rows of every business are counted"):
                for kept in retention.TABLE:
                    self.stdout.write(f"{kept.model:36}{_days(kept):>10}{kept.old(now):>12} rows would go")
            return
        rest = 0.0 if without_rest else retention.REST
        for done in retention.forget_old(now=now, seconds=seconds, rest=rest):
            left = "" if done.complete else ", more are left"
            self.stdout.write(f"{done.model:36}{done.removed:>12} rows went{left}")


def _days(kept: retention.Kept) -> str:
    return "for ever" if kept.time is None else f"{kept.time.total_seconds() / 86_400:g} d"
