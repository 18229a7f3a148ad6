"""`manage.py new_encryption_key`: a key for ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet
from django.core.management import BaseCommand


class Command(BaseCommand):
    """Prints a fresh Fernet key.

    Put it before the keys in use: the first one encrypts, all of them decrypt.
    """

    help = "Prints a fresh key for ENCRYPTION_KEYS."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Writes the key to standard output."""
        self.stdout.write(Fernet.generate_key().decode())
