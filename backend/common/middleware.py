"""The border of a request: its id, the caller's address, and an empty tenant scope.

The address is the peer's unless TRUSTED_PROXIES says how many proxies of ours stand in front: then it is the
entry of X-Forwarded-For that the outermost of them appended, which a caller cannot forge.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from common import clock, metrics
from common.api import GuardedAPIView
from common.context import Actor, acting_as, identify
from common.errors import Refusal, problem_response
from common.logs import REQUESTS
from common.permissions import may_enter_admin
from common.tenancy import EVERYTHING, entered
from common.throttling import spend_page

requests = logging.getLogger(REQUESTS)
GOOD_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def request_id_of(offered: str | None) -> str:
    """The caller's own X-Request-ID if it is harmless, else a fresh one."""
    return offered if offered and GOOD_REQUEST_ID.fullmatch(offered) else uuid.uuid4().hex


def address_of(*, peer: str | None, forwarded_for: str | None, trusted_proxies: int) -> str | None:
    """The caller's IP address, or None when it cannot be told.

    With n trusted proxies the n-th entry of X-Forwarded-For from the right was written by ours.
    """
    candidate = peer
    if trusted_proxies and forwarded_for:
        hops = [hop.strip() for hop in forwarded_for.split(",")]
        candidate = hops[-min(trusted_proxies, len(hops))]
    try:
        return str(ipaddress.ip_address((candidate or "").strip("[]")))
    except ValueError:
        return None


class RequestContextMiddleware:
    """Names every request and starts it as nobody, in no scope: what forgets to enter one, fails closed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = request_id_of(request.headers.get("X-Request-ID"))
        actor = Actor(
            name="anonymous",
            ip_address=address_of(
                peer=request.META.get("REMOTE_ADDR"),
                forwarded_for=request.META.get("HTTP_X_FORWARDED_FOR"),
                trusted_proxies=settings.TRUSTED_PROXIES,
            ),
            request_id=request_id,
            user_agent=request.headers.get("User-Agent", ""),
        )
        began = time.perf_counter()
        with acting_as(actor), entered(None):
            response = self.get_response(request)
            took_s = time.perf_counter() - began
            metrics.count_request(request, response.status_code, took_s)
            requests.info(
                "%s %s %s",
                request.method,
                request.path,
                response.status_code,
                extra={
                    "method": request.method,
                    "path": request.path,  # without its query, which may hold a signature
                    "status": response.status_code,
                    "ms": round(took_s * 1000, 1),
                    "address": actor.ip_address,
                },
            )
        response["X-Request-ID"] = request_id
        return response


class PagesMiddleware:
    """Counts what is no view of the API: documentation, the pages of mails, the admin. The API counts for itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> HttpResponse | None:
        """429 for one page too many, or nothing."""
        shown_by = getattr(view, "cls", None)
        if shown_by is not None and issubclass(shown_by, GuardedAPIView):
            return None
        try:
            spend_page(now=clock.now())
        except Refusal as refusal:
            response = problem_response(refusal.code, refusal.detail)
            for name, value in refusal.members["headers"].items():
                response[name] = value
            return response
        return None


class AdminScopeMiddleware:
    """Django's admin works on every client's rows, for sync2gear's staff only; they are named to the audit log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        if not (request.path.startswith("/admin/") and may_enter_admin(user)):
            return self.get_response(request)
        identify(user_id=user.pk, name=user.get_username())
        with entered(EVERYTHING):
            return self.get_response(request)
