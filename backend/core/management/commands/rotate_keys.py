"""`manage.py rotate_keys`: every secret under the newest of ENCRYPTION_KEYS. docs/operations.md has the procedure."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, CommandError

from common.rekeying import encrypted_columns, rekey


class Command(BaseCommand):
    """Re-encrypts what older keys encrypted.

    It may be interrupted and run again, also while the server runs. Only when it ends well may an old key be dropped.
    """

    help = "Re-encrypts every stored secret with the first of ENCRYPTION_KEYS; the others can be dropped afterwards."

    def handle(self, *args: Any, **options: Any) -> None:
        """A line for each column; status 1 when no key opens some secret."""
        lost = 0
        for model, column in encrypted_columns():
            done = rekey(model, column)
            self.stdout.write(
                f"{done.column}: {done.renewed} re-encrypted, {done.current} already under the newest key"
            )
            for pk in done.lost:
                self.stderr.write(f"{done.column}: no key of ENCRYPTION_KEYS opens row {pk}")
            lost += len(done.lost)
        if lost:
            raise CommandError(
                f"{lost} secrets stay as they are: add the key that made them, or enter them anew."
            )
