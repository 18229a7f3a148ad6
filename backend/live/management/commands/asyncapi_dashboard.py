"""`manage.py asyncapi_dashboard > docs/asyncapi-dashboard.json`: the dashboards' socket as an AsyncAPI 3.0 document."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand

from live.asyncapi import document


class Command(BaseCommand):
    """Prints the document."""

    help = "Print the AsyncAPI 3.0 description of the dashboards' socket (docs/asyncapi-dashboard.json)."

    def handle(self, *args: Any, **options: Any) -> None:
        """To standard output."""
        self.stdout.write(json.dumps(document(), indent=2, ensure_ascii=False))
