"""The pages to which the links in mails lead: choosing a password, for an invitation or instead of a forgotten one.

The token stands behind `#`, so it reaches this server only in the body of the API call that the page makes. Script and
style are files of this host, and the policy of `core.headers` allows nothing else.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.http import HttpResponse
from django.urls import URLPattern, path
from django.views.generic import TemplateView


@dataclass(frozen=True, slots=True)
class Page:
    """What one of the pages says, and the API's path that it calls with `{token, password}`."""

    title: str
    lead: str
    button: str
    done: str
    endpoint: str


PAGES = {
    "invitation": Page(
        title="Welcome to sync2gear",
        lead="Choose a password for your account.",
        button="Start",
        done="Your account is ready. You can sign in now.",
        endpoint="/api/auth/invitations/accept/",
    ),
    "password-reset": Page(
        title="A new password",
        lead="Choose a new password. You are signed out everywhere else.",
        button="Save",
        done="Your new password holds. You can sign in now.",
        endpoint="/api/auth/password-reset/confirm/",
    ),
}


class PasswordPage(TemplateView):
    """The page of one of PAGES."""

    template_name = "account/choose_password.html"
    http_method_names = ("get", "head", "options")
    page: Page = PAGES["invitation"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The page's words."""
        return super().get_context_data(**asdict(self.page), **kwargs)

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        """The page; where it leads to does not hear of it."""
        response = super().render_to_response(context, **kwargs)
        response["Referrer-Policy"] = "no-referrer"
        return response


urlpatterns: list[URLPattern] = [
    path(name, PasswordPage.as_view(page=page), name=f"account-{name}") for name, page in PAGES.items()
]
