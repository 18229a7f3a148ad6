"""`manage.py errors_doc > docs/errors.md`: every error code of the API, from the one table that has them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from common.errors import CODES, CONTENT_TYPE

HEAD = f"""# Errors of the API

Every refusal is `{CONTENT_TYPE}` (RFC 9457) with a stable `code`. `detail` is a sentence for a person and may
change; a program goes by `code`. `errors` holds one entry `{{field, code, detail}}` for each field that is wrong,
`request_id` is what to name when asking about it. This page is made by `manage.py errors_doc` from
`common.errors.CODES`; a test holds the two together.

| code | status | meaning |
|---|---|---|
"""


def page() -> str:
    """The whole page, as Markdown."""
    return HEAD + "".join(f"| `{name}` | {code.status} | {code.title} |\n" for name, code in CODES.items())


class Command(BaseCommand):
    """Prints the page."""

    help = "Print the table of the API's error codes (docs/errors.md)."

    def handle(self, *args: Any, **options: Any) -> None:
        """To standard output."""
        self.stdout.write(page(), ending="")
