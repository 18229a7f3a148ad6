"""Routes of the audit trail, relative to /api/."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from audit.views import AuditLogViewSet

router = SimpleRouter()
router.register("audit-logs", AuditLogViewSet, basename="audit-log")

urlpatterns = router.urls
