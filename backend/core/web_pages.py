"""The pages that people open: the dashboard, whose addresses are one page, and the speaker in a browser.

A page is a few lines of HTML that name its style and its first module (`core.web_files`); all else it asks of the API.
"""

from __future__ import annotations

import json
from functools import cache

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, register_converter
from django.views.generic import View

from common.errors import not_found_view
from core.web_files import files_of, loaded_first

DASHBOARD_ADDRESSES = (
    "sign-in",
    "register",
    "forgotten-password",
    "password-reset",
    "invitation",
    "floors",
    "devices",
    "announcements",
    "music",
    "playlists",
    "schedules",
    "timeline",
    "history",
    "team",
    "settings",
    "profile",
    "businesses",
    "providers",
    "audit",
)
"""What may stand first in an address of the dashboard; web/dashboard/routes.js says what is shown there."""

WITH_SECRETS = ("password-reset", "invitation")
"""Whose links hold a token, behind `#`: where they lead to does not hear of it."""

NOT_PAGES = ("/api/", "/media/", "/static/", "/admin/", "/ws/")
"""Below these a wrong address was asked for by a program."""


class DashboardAddress:
    """An address of the dashboard, such as `floors/3`."""

    regex = rf"(?:{'|'.join(DASHBOARD_ADDRESSES)})(?:/[^.]*)?"

    def to_python(self, value: str) -> str:
        """As it is."""
        return value

    def to_url(self, value: str) -> str:
        """As it is."""
        return value


register_converter(DashboardAddress, "dashboard")


def web_url(name: str) -> str:
    """Where a file of `web/` is reached: `web_url("common/theme.css")`."""
    return f"{settings.STATIC_URL}{settings.WEB_FOLDER}/{name}"


def shown(request: HttpRequest, part: str, *, status: int = 200) -> HttpResponse:
    """The page of one part of `web/`; raises Http404 where the front end was not put beside the server."""
    if settings.DEBUG:
        loaded.cache_clear()
    if not loaded(part):
        raise Http404
    context = {
        "part": part,
        "base": web_url(""),
        "styles": [web_url(name) for name in loaded(part) if name.endswith(".css")],
        "modules": [web_url(name) for name in loaded(part) if name.endswith(".js")],
    }
    return render(request, "web/page.html", context, status=status)


@cache
def loaded(part: str) -> tuple[str, ...]:
    """What the page of one part loads before it shows anything: modules, the first one first, and style."""
    if not (settings.WEB_ROOT / part / "main.js").is_file():
        return ()
    styles = (name for name in files_of(settings.WEB_ROOT, "common", part) if name.endswith(".css"))
    return (*loaded_first(settings.WEB_ROOT, f"{part}/main.js"), *styles)


class DashboardPage(View):
    """One page for every address of the dashboard: which of them is shown, it reads itself."""

    http_method_names = ("get", "head", "options")

    def get(self, request: HttpRequest, address: str = "") -> HttpResponse:
        """200 with the page."""
        response = shown(request, "dashboard")
        if address in WITH_SECRETS:
            response["Referrer-Policy"] = "no-referrer"
        return response


class SpeakerPage(View):
    """A browser that is a speaker. It keeps the page for when there is no network."""

    http_method_names = ("get", "head", "options")

    def get(self, request: HttpRequest) -> HttpResponse:
        """200 with the page."""
        response = shown(request, "speaker")
        response["Cache-Control"] = "no-cache"
        return response


class SpeakerFile(View):
    """A file of the speaker whose address never changes, for browsers compare it by that: worker and manifest.

    Before the worker stands `RELEASE`: where this release's files are, and which the page needs without a network.
    """

    http_method_names = ("get", "head", "options")
    name = ""
    content_type = ""

    def get(self, request: HttpRequest) -> HttpResponse:
        """200 with the file."""
        file = settings.WEB_ROOT / "speaker" / self.name
        if not file.is_file():
            raise Http404
        text = file.read_text().replace("{{base}}", web_url(""))
        if self.name.endswith(".js"):
            later = [name for name in files_of(settings.WEB_ROOT, "speaker") if name.endswith(".js")]
            modules = {found for name in later for found in loaded_first(settings.WEB_ROOT, name)}
            needed = sorted({*loaded("speaker"), *modules, "common/boot.js"})
            release = {"base": web_url(""), "files": [web_url(name) for name in needed]}
            text = f"const RELEASE = {json.dumps(release)};\n{text}"
        return HttpResponse(text, content_type=self.content_type, headers={"Cache-Control": "no-cache"})


class Favicon(View):
    """Where a browser that was told of no icon finds it."""

    http_method_names = ("get", "head", "options")

    def get(self, request: HttpRequest) -> HttpResponse:
        """302 to the icon."""
        return redirect(web_url("common/icons/sync2gear.svg"))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404: a person is shown a page, a program is sent a problem."""
    person = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
    if person and not request.path.startswith(NOT_PAGES):
        try:
            return shown(request, "dashboard", status=404)
        except Http404:
            pass  # without a front end a person, too, is told in JSON
    return not_found_view(request, exception)


urlpatterns: list[URLPattern] = [
    path("", DashboardPage.as_view(), name="dashboard"),
    path("<dashboard:address>", DashboardPage.as_view(), name="dashboard-address"),
    path("speaker/", SpeakerPage.as_view(), name="speaker"),
    path(
        "speaker/sw.js",
        SpeakerFile.as_view(name="sw.js", content_type="text/javascript; charset=utf-8"),
        name="speaker-worker",
    ),
    path(
        "speaker/manifest.webmanifest",
        SpeakerFile.as_view(name="manifest.webmanifest", content_type="application/manifest+json"),
        name="speaker-manifest",
    ),
    path("favicon.ico", Favicon.as_view(), name="favicon"),
]
