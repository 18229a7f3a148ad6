"""`manage.py check_media`: are the files in the storage and the rows that name them the same?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from common import clock, media_files


class Command(BaseCommand):
    """Lists files that no row names and rows whose file is gone; status 1 if a file is gone."""

    help = "Find stored files that no row names, and rows whose file is missing. Without --remove nothing changes."

    def add_arguments(self, parser: CommandParser) -> None:
        """The command line."""
        parser.add_argument("--remove", action="store_true", help="remove the files that no row names")
        parser.add_argument(
            "--hours",
            type=float,
            default=media_files.GRACE.total_seconds() / 3600,
            help="leave alone what is younger: it may belong to an upload that is running (default: %(default)g)",
        )
        parser.add_argument(
            "--anyway", action="store_true", help="remove them even if they are a large share"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Looks, and removes if told to."""
        now, grace = clock.now(), timedelta(hours=options["hours"])
        if options["remove"]:
            try:
                tally = media_files.remove_orphans(now=now, grace=grace, anyway=options["anyway"])
            except media_files.TooManyOrphans as error:
                raise CommandError(f"{error} Nothing was removed; --anyway does it.") from error
        else:
            tally = media_files.survey(before=now - grace, orphan=self._tell)
        fate = "removed" if options["remove"] else "kept; --remove removes them"
        self.stdout.write(f"{tally.files:,} files, {tally.size:,} bytes")
        self.stdout.write(f"{tally.orphans:,} named by no row, {tally.orphan_size:,} bytes: {fate}")
        gone = 0
        if tally.named < media_files.rows_with_files():
            for column, pk, name in media_files.missing():
                gone += 1
                self.stdout.write(f"missing: {name} of {column.label} {pk}")
        self.stdout.write(f"{gone:,} rows without their file")
        if gone:
            raise CommandError("Restore these files from a backup, or upload them again.")

    def _tell(self, stored: Any) -> None:
        self.stdout.write(f"orphan: {stored.name} ({stored.size:,} bytes, {stored.modified:%Y-%m-%d %H:%M})")
