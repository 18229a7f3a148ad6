"""What is counted of dashboards' sockets."""

from __future__ import annotations

from common.metrics import counter, gauge

SOCKETS = gauge("dashboards", "Dashboards whose socket is open and greeted.")
CLOSES = counter("dashboard_closes", "Dashboards that the server closed, by why.", "reason")
