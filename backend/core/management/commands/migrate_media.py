"""`manage.py migrate_media local s3`: copies media from one storage to another, while everything runs."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from django.core.files.storage.handler import InvalidStorageError
from django.core.management import BaseCommand, CommandError, CommandParser

from common.media_moving import FAILED, Fate, assets, move
from common.storages import media

EVERY_S = 5.0


class Command(BaseCommand):
    """Copies, verifies, tells how far it is; status 1 if a file could not be moved."""

    help = (
        "Copy media from one storage to another (local, s3). It may be broken off and started again: what is there"
        " already is passed over. Nothing is removed and no row is changed; docs/media.md has the whole way."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The command line."""
        parser.add_argument("source", help="where the files are: local or s3")
        parser.add_argument("target", help="where they go")
        parser.add_argument("--dry-run", action="store_true", help="count what would be copied")
        parser.add_argument(
            "--thorough", action="store_true", help="compare also what is there already, byte by byte"
        )
        parser.add_argument(
            "--at-once", type=int, default=4, help="files copied side by side (default: %(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Moves everything."""
        if options["source"] == options["target"]:
            raise CommandError("Source and target are the same.")
        try:
            source, target = media(options["source"]), media(options["target"])
        except InvalidStorageError as error:
            raise CommandError(f"{error} For s3, set AWS_STORAGE_BUCKET_NAME.") from error
        if options["at_once"] < 1:
            raise CommandError("--at-once is at least 1.")
        fates: Counter[Fate] = Counter()
        copied, told = 0, time.monotonic()
        try:
            for moved in move(
                assets(),
                source,
                target,
                dry=options["dry_run"],
                thorough=options["thorough"],
                at_once=options["at_once"],
            ):
                fates[moved.fate] += 1
                copied += moved.size if moved.fate is Fate.COPIED else 0
                if moved.fate in FAILED:
                    self.stdout.write(f"{moved.asset.name}: {moved.fate.value}")
                if time.monotonic() - told > EVERY_S:
                    told = time.monotonic()
                    self.stdout.write(_line(fates, copied))
        except OSError as error:
            raise CommandError(f"{error}. Nothing is lost: mend it, and start this again.") from error
        self.stdout.write(_line(fates, copied))
        if failed := sum(fates[fate] for fate in FAILED):
            raise CommandError(f"{failed:,} files were not moved.")


def _line(fates: Counter[Fate], copied: int) -> str:
    told = ", ".join(f"{fates[fate]:,} {fate.value}" for fate in Fate if fates[fate])
    return f"{fates.total():,} files: {told or 'nothing to do'} ({copied:,} bytes copied)"
