"""The route of dashboards' tickets, relative to /api/."""

from __future__ import annotations

from django.urls import path

from live.views import TicketView

urlpatterns = [path("auth/ws-ticket/", TicketView.as_view(), name="auth-ws-ticket")]
