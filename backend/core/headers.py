"""What every answer tells a browser: what it may load, who may frame it, what it may use, how long it keeps it.

POLICIES is the one table of Content-Security-Policies (W3C CSP Level 3). An answer of the API is no page, so it may
load nothing; a page loads from this host alone, script and style as files. What a package needs beyond that stands
there with its reason. OWASP ASVS 5.0, V3.4 and V14.3.2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse

from common.errors import problem_response

Sources = dict[str, str]

NOTHING: Sources = {
    "default-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "object-src": "'none'",
}
"""For what is no page: an answer of the API, a problem, a file."""

PAGE: Sources = NOTHING | {
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' blob:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "worker-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
}
"""For a page: all from this host, nothing inline, and its own API and sockets ('self' has wss of the same host)."""

MEDIA: Sources = NOTHING | {"sandbox": ""}
"""For what was uploaded: opened as a document it has no script, no origin and no form."""

DOCUMENTATION: Sources = PAGE | {
    "style-src": "'self' 'unsafe-inline'",  # Swagger UI and Redoc make <style> elements as they run
    "worker-src": "'self' blob:",  # Redoc searches in a worker that it makes from a blob
}

STAFF: Sources = PAGE | {
    "script-src": "'self' 'unsafe-eval'",  # the theme's Alpine.js evaluates the expressions of its templates
    "style-src": "'self' 'unsafe-inline'",  # the theme's templates have style attributes
}

POLICIES: tuple[tuple[str, Sources], ...] = (
    ("/api/docs/", DOCUMENTATION),
    ("/api/redoc/", DOCUMENTATION),
    ("/api/", NOTHING),
    ("/media/", MEDIA),
    ("/admin/", STAFF),
    ("/", PAGE),
)
"""Which policy an answer has: that of the first beginning of its path."""

HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": ", ".join(
        (
            "accelerometer=()",
            "autoplay=(self)",  # the speaker in a browser plays by itself
            "camera=()",
            "display-capture=()",
            "geolocation=()",
            "gyroscope=()",
            "magnetometer=()",
            "microphone=(self)",  # the dashboard records announcements
            "midi=()",
            "payment=()",
            "publickey-credentials-get=(self)",
            "screen-wake-lock=(self)",
            "usb=()",
            "xr-spatial-tracking=()",
        )
    ),
}
"""For every answer, unless the view says otherwise. Cache-Control and Cross-Origin-Resource-Policy depend on it."""

NOT_REDIRECTED = ("/api/", "/media/")
"""Called by programs. One that speaks plain HTTP by mistake must hear of it, not be helped to send its secret twice."""


OF_MEDIA = frozenset({"img-src", "media-src", "connect-src"})
"""What a page may also load from where media lie; a redirect to a bucket is judged by where it leads."""


def policy_for(path: str) -> str:
    """The Content-Security-Policy of an answer to this path."""
    sources = next(sources for beginning, sources in POLICIES if path.startswith(beginning))
    more = dict.fromkeys(OF_MEDIA & sources.keys(), getattr(default_storage, "origin", ""))
    return "; ".join(f"{name} {value} {more.get(name, '')}".strip() for name, value in sources.items())


class HeadersMiddleware:
    """The outermost: also what stands before any view, and every refusal, leaves through here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.setdefault(name, value)
        response.setdefault("Content-Security-Policy", policy_for(request.path))
        # A signed link is for <audio> and <img> of any page that was given it; everything else is read by our own.
        lent = request.path.startswith("/media/")
        response.setdefault("Cross-Origin-Resource-Policy", "cross-origin" if lent else "same-origin")
        # What a person or a device is told is kept by nobody but them: no cache, no disk of a shared computer.
        response.setdefault("Cache-Control", "no-store")
        return response


class HttpsMiddleware:
    """With HTTPS on, a program's plain request is refused; a browser that opens a page is redirected by Django."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        plain = settings.SECURE_SSL_REDIRECT and not request.is_secure()
        if plain and request.path.startswith(NOT_REDIRECTED):
            return problem_response(
                "https_required", "Call this by https://; what was sent was not looked at."
            )
        return self.get_response(request)
