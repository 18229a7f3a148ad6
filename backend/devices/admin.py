"""Speakers and their pairings in Django's admin."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from common import clock
from common.admin import StaffAdmin, confirmed, link_to, linked
from common.admin_filters import by_row, by_time
from devices import services
from devices.models import LEASE, Device, DevicePairing, Outage

TONE_HZ, TONE_MS = 440, 1_000


class PresenceFilter(admin.SimpleListFilter):
    """By whether the lease runs now."""

    title = "presence"
    parameter_name = "presence"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The two."""
        return [("online", "Online"), ("offline", "Offline")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Those that are."""
        alive = Q(last_seen__gt=clock.now() - LEASE)
        match self.value():
            case "online":
                return queryset.filter(alive)
            case "offline":
                return queryset.exclude(alive)
            case _:
                return queryset


@admin.register(Device)
class DeviceAdmin(StaffAdmin):
    """The speakers of all businesses, by the API's services. Their tokens are kept as hashes and not shown."""

    trail = "device"
    list_display = (
        "name",
        "online",
        link_to("client"),
        link_to("floor"),
        "device_id",
        "volume",
        "muted",
        "last_seen",
        "software",
    )
    list_select_related = ("client", "floor__client")
    list_filter = (PresenceFilter, by_row("client"), by_row("floor"), "muted", by_time("last_seen"))
    search_fields = ("name", "device_id", "client__name", "floor__name", "ip_address")
    ordering = ("client__name", "name")
    autocomplete_fields = ("client", "floor")
    readonly_fields = (
        "online",
        "last_seen",
        "ip_address",
        "software",
        "clock",
        "revisions",
        "revoked_at",
        "token_used_at",
        "said",
        "created_at",
    )
    fieldsets = (
        (None, {"fields": ("client", "floor", "name", "device_id")}),
        ("As it should sound", {"fields": (("volume", "muted", "output_delay_ms"),)}),
        (
            "As it is",
            {"fields": (("online", "last_seen"), ("ip_address", "software"), ("clock", "revisions"), "said")},
        ),
        ("Access", {"fields": (("token_used_at", "revoked_at"), "created_at")}),
    )
    actions_detail = ("test_tone", "rotate_token", "revoke_token")

    @display(description="presence", label={"online": "success", "offline": "danger"})
    def online(self, device: Device) -> str:
        """Whether its lease runs now."""
        return "online" if device.is_online() else "offline"

    @display(description="clock")
    def clock(self, device: Device) -> str:
        """How well it knows the time, by its own word."""
        if device.clock_error_us is None:
            return device.clock_state or "–"
        return f"{device.clock_state}, within {device.clock_error_us / 1000:.1f} ms"

    @display(description="desired and applied revision")
    def revisions(self, device: Device) -> str:
        """Equal once it has applied what it should."""
        return f"{device.desired_rev} and {device.applied_rev}"

    @display(description="its last report")
    def said(self, device: Device) -> str:
        """What it last said of itself."""
        text = json.dumps(device.reported, indent=2, ensure_ascii=False)
        return format_html('<pre class="overflow-x-auto text-xs">{}</pre>', text)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """A new speaker may go without a hardware id: it is given one."""
        form = super().get_form(request, obj, change, **kwargs)
        if obj is None:
            form.base_fields["device_id"].required = False
        return form

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Device:
        """Its token is issued by “Issue a new token”, where it is shown once."""
        return services.create_device(**values)[0]

    def update_row(self, request: HttpRequest, row: Device, changes: dict[str, Any]) -> Device:
        """The speaker is told what concerns it."""
        return services.change_device(device=row, values=changes)

    def delete_row(self, request: HttpRequest, row: Device) -> None:
        """Its socket closes, its history stays."""
        services.delete_device(device=row)

    @confirmed("Sound a test tone of one second on {row}?", icon="graphic_eq")
    def test_tone(self, request: HttpRequest, device: Device) -> str:
        """A sine to find it by."""
        services.test_tone(device=device, hz=TONE_HZ, ms=TONE_MS, now=clock.now())
        return "The tone was sent."

    @confirmed(
        "Issue a new token for {row}? The old one works until the new one is first used.",
        label="Issue a new token",
        icon="key",
    )
    def rotate_token(self, request: HttpRequest, device: Device) -> HttpResponse:
        """Shows the token, this once."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"The new token of {device}",
            "opts": self.opts,
            "secret": services.rotate_token(device=device),
            "back": self.page_of(device.pk),
        }
        return TemplateResponse(request, "admin/shown_once.html", context)

    @confirmed(
        "Revoke the token of {row}? It falls silent at once, and stays so until it has a new token.",
        label="Revoke its token",
        icon="block",
        danger=True,
    )
    def revoke_token(self, request: HttpRequest, device: Device) -> str:
        """Shuts it out."""
        services.revoke_token(device=device, now=clock.now())
        return "The token was revoked, and the speaker's connection closed."


@admin.register(Outage)
class OutageAdmin(StaffAdmin):
    """When speakers were away."""

    list_display = ("device", "business", "started_at", "ended_at")
    list_select_related = ("device__client",)
    list_filter = (by_row("device"), by_time("started_at"))
    search_fields = ("device__name", "device__device_id")
    ordering = ("-started_at", "-pk")
    paginator = InfinitePaginator
    fields = ("device", ("started_at", "ended_at"))

    @display(description="business")
    def business(self, outage: Outage) -> str:
        """The speaker's."""
        return linked(outage.device.client)


@admin.register(DevicePairing)
class DevicePairingAdmin(StaffAdmin):
    """New speakers that wait for somebody to enter their code. The code itself is on the speaker, not here."""

    list_display = ("hardware_id", "name", "claimed", "ip_address", "created_at", "expires_at", "fetched_at")
    list_select_related = ("device",)
    list_filter = (by_time("created_at"),)
    search_fields = ("hardware_id", "name", "ip_address")
    ordering = ("-created_at",)
    fields = (
        "hardware_id",
        "name",
        "software",
        "ip_address",
        ("created_at", "expires_at"),
        ("last_polled_at", "interval_s"),
        ("device", "fetched_at"),
    )

    @display(description="claimed as", ordering="device__name")
    def claimed(self, pairing: DevicePairing) -> str:
        """The speaker that it became."""
        return linked(pairing.device)
