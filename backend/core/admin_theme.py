"""The look of Django's admin: names, the menu, the colours. Read by the theme from the settings."""

from __future__ import annotations

from typing import Any

from django.urls import reverse_lazy

MENU: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "",
        (("Overview", "dashboard", "index"),),
    ),
    (
        "Businesses",
        (
            ("Businesses", "storefront", "clients_client_changelist"),
            ("People", "group", "users_user_changelist"),
            ("Mail waiting", "outgoing_mail", "users_outgoingmail_changelist"),
            ("Floors", "layers", "zones_floor_changelist"),
            ("Speakers", "speaker", "devices_device_changelist"),
            ("Outages", "wifi_off", "devices_outage_changelist"),
            ("Pairings", "qr_code", "devices_devicepairing_changelist"),
        ),
    ),
    (
        "Sound",
        (
            ("Music", "music_note", "music_musicfile_changelist"),
            ("Announcements", "campaign", "announcements_announcement_changelist"),
            ("Playlists", "queue_music", "playlists_channelplaylist_changelist"),
            ("Schedules", "calendar_clock", "schedules_schedule_changelist"),
            ("Stops", "volume_off", "schedules_floorstop_changelist"),
        ),
    ),
    (
        "On record",
        (
            ("Plays", "play_circle", "events_playevent_changelist"),
            ("Music heard", "receipt_long", "playlists_musicplay_changelist"),
            ("Programmes", "history_toggle_off", "playlists_programmerevision_changelist"),
            ("Audit trail", "policy", "audit_auditlog_changelist"),
            ("Webhooks", "webhook", "webhooks_webhook_changelist"),
            ("Webhook deliveries", "outbound", "webhooks_webhookdelivery_changelist"),
        ),
    ),
    (
        "Providers",
        (("AI providers", "neurology", "ai_config_aiprovider_changelist"),),
    ),
)
"""Groups of the menu: title, then label, icon (Material Symbols, which the theme brings along) and view."""

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "sync2gear",
    "SITE_HEADER": "sync2gear",
    "SITE_SUBHEADER": "Administration",
    "SITE_SYMBOL": "graphic_eq",
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "COLORS": {
        "primary": {
            "50": "240 253 250",
            "100": "204 251 241",
            "200": "153 246 228",
            "300": "94 234 212",
            "400": "45 212 191",
            "500": "20 184 166",
            "600": "13 148 136",
            "700": "15 118 110",
            "800": "17 94 89",
            "900": "19 78 74",
            "950": "4 47 46",
        }
    },
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            {
                "title": title,
                "separator": bool(title),
                "items": [
                    {"title": label, "icon": icon, "link": reverse_lazy(f"admin:{view}")}
                    for label, icon, view in entries
                ],
            }
            for title, entries in MENU
        ],
    },
}
