"""Entries of the audit trail as the API shows them."""

from __future__ import annotations

import json
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from audit.export import HEADINGS
from audit.models import AuditLog


class AuditLogSerializer(serializers.ModelSerializer[AuditLog]):
    """Who did what to which thing, when and from where."""

    user = serializers.IntegerField(
        source="user_id", allow_null=True, read_only=True, help_text="Who acted; null: nobody signed in."
    )
    real_user = serializers.IntegerField(
        source="real_user_id",
        allow_null=True,
        read_only=True,
        help_text="Who of sync2gear's staff acted in the name of `user`.",
    )
    client = serializers.IntegerField(
        source="client_id", allow_null=True, read_only=True, help_text="Whose business it was."
    )
    details = serializers.SerializerMethodField(
        help_text="`before` and `after` of what changed, or the facts of the action. Secrets are never in it."
    )

    class Meta:
        model = AuditLog
        fields = list(HEADINGS)
        read_only_fields = fields
        extra_kwargs = {
            "number": {"help_text": "Its place in the chain of its business; null for a second or two."},
            "digest": {"help_text": "SHA-256 of what it says."},
            "hash": {"help_text": "SHA-256 that chains it to the entry before; empty for a second or two."},
        }

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_details(self, entry: AuditLog) -> Any:
        """The JSON of the column."""
        return json.loads(entry.details)
