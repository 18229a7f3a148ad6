"""`/api/audit-logs/`: reading and exporting the audit trail. Nothing writes it by the API."""

from __future__ import annotations

from django.db.models import Max
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request

from audit.export import FORMATS, ExportResponse, chunks
from audit.filters import AuditLogFilters
from audit.models import AuditLog
from audit.serializers import AuditLogSerializer
from audit.services import record
from common import clock
from common.api import ListMixin, RetrieveMixin, TenantViewSet
from common.filters import LOG_FILTERS
from common.openapi import reading
from common.pagination import CursorPages
from common.permissions import IsClientAdmin
from common.serializers import invalid
from common.streaming import AnyAccept
from common.tenancy import current_scope
from common.throttling import spend


@extend_schema_view(
    list=extend_schema(
        summary="Who did what",
        description=(
            "The newest first. Client admins see their own business's entries, sync2gear's staff all. `search` looks"
            " through the newest 50,000 entries that the other filters leave."
        ),
        responses={200: AuditLogSerializer(many=True), **reading("validation_failed", "bad_cursor")},
    ),
    retrieve=extend_schema(summary="Read one entry", responses={200: AuditLogSerializer, **reading()}),
)
@extend_schema(tags=["audit-logs"])
class AuditLogViewSet(ListMixin, RetrieveMixin, TenantViewSet):
    """Staff see every business's entries, a client admin the business's own."""

    model = AuditLog
    serializer_class = AuditLogSerializer
    pagination_class = CursorPages
    filter_backends = LOG_FILTERS
    filterset_class = AuditLogFilters
    search_fields = ("actor_name", "real_actor_name", "client_name", "resource_id", "details")
    ordering_fields = ("timestamp",)
    access = {"list": IsClientAdmin, "retrieve": IsClientAdmin, "export": IsClientAdmin}

    @extend_schema(
        operation_id="audit_logs_export",
        summary="Export entries as CSV or JSON lines",
        description=(
            "All entries that the filters leave, the oldest first, sent while they are read: a file may be of any"
            " size. What is written after the request is not in it. In CSV, text that a spreadsheet would compute"
            " begins with an apostrophe. The export itself is entered in the audit trail."
        ),
        parameters=[
            OpenApiParameter("format", OpenApiTypes.STR, enum=sorted(FORMATS), default="csv"),
        ],
        filters=True,
        responses={
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="RFC 4180, UTF-8."),
            (200, "application/jsonl"): OpenApiResponse(
                OpenApiTypes.STR, description="An entry a line, each a JSON object as in the list."
            ),
            **reading("validation_failed", "rate_limited"),
        },
    )
    @action(detail=False, methods=["get"], content_negotiation_class=AnyAccept, pagination_class=None)
    def export(self, request: Request) -> HttpResponseBase:
        """The file."""
        wanted = request.query_params.get("format", "csv")
        if wanted not in FORMATS:
            raise invalid("format", "invalid_choice", f"Choose one of {', '.join(sorted(FORMATS))}.")
        entries = self.filter_queryset(self.get_queryset())
        now = clock.now()
        spend("export.user", f"user:{self.caller.pk}", now=now)
        newest = AuditLog.everything.aggregate(newest=Max("pk"))["newest"] or 0
        asked = {
            name: request.query_params.getlist(name) for name in request.query_params if name != "format"
        }
        record(
            "export",
            resource="audit_log",
            resource_id="",
            client_id=current_scope().client_id,
            details={"format": wanted, "filters": asked},
        )
        return ExportResponse(
            chunks(entries.filter(pk__lte=newest), wanted),
            headers={
                "Content-Type": FORMATS[wanted][0],
                "Content-Disposition": f'attachment; filename="audit-{now:%Y%m%dT%H%M%SZ}.{wanted}"',
                "Cache-Control": "private, no-store",
            },
        )
