"""`manage.py openapi > docs/openapi.yaml`: the API as an OpenAPI 3.1 document."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from drf_spectacular.renderers import OpenApiYamlRenderer

from common.openapi import ScopedSchemaGenerator


class Command(BaseCommand):
    """Prints the document."""

    help = "Print the OpenAPI 3.1 description of the API (docs/openapi.yaml)."

    def handle(self, *args: Any, **options: Any) -> None:
        """To standard output."""
        document = ScopedSchemaGenerator().get_schema(public=True)
        self.stdout.write(OpenApiYamlRenderer().render(document, renderer_context={}).decode(), ending="")
