"""Django's admin as a site: who gets in, how, and what is seen first."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from unfold.forms import AuthenticationForm
from unfold.sites import UnfoldAdminSite

from audit.services import record
from common import clock
from common.context import identify
from common.errors import CODES, Refusal
from common.permissions import may_enter_admin
from core.dashboard import figures
from users import sessions


class StaffLoginForm(AuthenticationForm):
    """Signs in as the API does: by e-mail address or username, limited, and on the record."""

    refused: Refusal | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "E-mail address or username"

    def clean(self) -> dict[str, Any]:
        """Whoever is no staff is answered as if the password were wrong."""
        account, password = (self.cleaned_data.get(name) or "" for name in ("username", "password"))
        try:
            user = sessions.proven(account=account, password=password, now=clock.now())
            if not may_enter_admin(user):
                _record("login_failed", user)
                raise Refusal("bad_credentials", "The e-mail address or the password is wrong.")
        except Refusal as refused:
            self.refused = refused
            raise ValidationError(refused.detail, code=refused.code) from None
        identify(user_id=user.pk, name=user.get_username())
        _record("login", user)
        self.user_cache = user
        return dict(self.cleaned_data)


class StaffSite(UnfoldAdminSite):
    """For sync2gear's staff only; sign-in and sign-out are in the audit trail."""

    login_form = StaffLoginForm
    index_title = "Overview"

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether this person may be here at all."""
        return may_enter_admin(request.user)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The form; 429 once there were too many attempts."""
        response = super().login(request, extra_context)
        form = (getattr(response, "context_data", None) or {}).get("form")
        refused = getattr(form, "refused", None) if form is not None and form.is_bound else None
        if refused is not None and refused.code == "rate_limited":
            response.status_code = CODES[refused.code].status
            for name, value in refused.members["headers"].items():
                response[name] = value
        return response

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Ends the session."""
        if request.method == "POST" and self.has_permission(request):
            _record("logout", request.user)
        return super().logout(request, extra_context)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The figures of now, and the menu."""
        return super().index(request, {"figures": figures(clock.now()), **(extra_context or {})})


def _record(action: str, user: Any) -> None:
    record(
        action,
        resource="user",
        resource_id=user.pk,
        client_id=user.client_id,
        details={"account": user.get_username(), "to": "admin"},
    )
