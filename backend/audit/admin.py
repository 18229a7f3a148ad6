"""The audit trail in Django's admin: read and searched, never written."""

from __future__ import annotations

import json

from django.contrib import admin
from django.utils.html import format_html
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from audit.models import AuditLog
from common.admin import StaffAdmin, link_to
from common.admin_filters import by_row, by_time


@admin.register(AuditLog)
class AuditLogAdmin(StaffAdmin):
    """Who did what, when and from where, in all businesses."""

    list_display = (
        "timestamp",
        "actor_name",
        "real_actor_name",
        "action",
        "resource",
        "resource_id",
        link_to("client"),
        "ip_address",
    )
    list_select_related = ("client",)
    list_filter = (by_row("client"), by_row("user"), by_time("timestamp"))
    search_fields = ("actor_name", "action", "resource", "=resource_id", "=request_id", "=ip_address")
    search_help_text = "Who, what (like login_failed or device), an id, a request's id or an address."
    ordering = ("-timestamp",)
    paginator = InfinitePaginator
    fieldsets = (
        (None, {"fields": (("timestamp", "action"), ("resource", "resource_id"), ("client", "client_name"))}),
        (
            "Who",
            {
                "fields": (
                    ("actor_name", "user"),
                    ("real_actor_name", "real_user"),
                    ("ip_address", "request_id"),
                )
            },
        ),
        ("Details", {"fields": ("readable",)}),
    )
    readonly_fields = ("readable",)

    @display(description="details")
    def readable(self, entry: AuditLog) -> str:
        """The facts, indented."""
        text = json.dumps(json.loads(entry.details), indent=2, ensure_ascii=False)
        return format_html('<pre class="overflow-x-auto text-xs">{}</pre>', text)
