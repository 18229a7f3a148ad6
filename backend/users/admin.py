"""People in Django's admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget

from common.admin import StaffAdmin, StaffForm, confirmed, link_to
from common.admin_filters import by_choice, by_row, by_time
from users import invitations, services
from users.models import OutgoingMail, User


class UserForm(StaffForm):
    """An account; its password can be set, never read."""

    new_password = forms.CharField(
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="Left empty, a new account is invited by mail to choose one, and an old one keeps its own."
        " A new one ends every session of this person.",
    )


@admin.register(User)
class UserAdmin(StaffAdmin):
    """Everybody who signs in, by the API's services."""

    trail = "user"
    form = UserForm
    list_display = ("email", "name", "role", link_to("client"), link_to("floor"), "standing", "last_login")
    list_select_related = ("client", "floor__client")
    list_filter = (by_choice("role"), by_row("client"), "is_active", by_time("last_login"))
    search_fields = ("email", "username", "first_name", "last_name", "client__name")
    ordering = ("email",)
    autocomplete_fields = ("client", "floor")
    readonly_fields = ("username", "last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", ("first_name", "last_name"), "phone")}),
        ("Role", {"fields": ("role", "client", "floor", "is_active")}),
        ("Sign-in", {"fields": ("new_password", "username", ("last_login", "date_joined"))}),
    )

    actions_detail = ("invite",)

    @display(
        description="standing", label={"Active": "success", "Invited": "warning", "Switched off": "danger"}
    )
    def standing(self, user: User) -> str:
        """Active, invited or switched off."""
        return user.status.label

    @confirmed("Send {row} a new invitation? The link of the one before opens nothing any more.", icon="mail")
    def invite(self, request: HttpRequest, user: User) -> str:
        """For who has not chosen a password yet."""
        invitations.invite(user=user)
        return f"An invitation is on its way to {user.email}."

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> User:
        """With a role that fits its business and floor."""
        password = values.pop("new_password", "") or None
        return services.create_user(by=request.user, password=password, **values)  # type: ignore[arg-type]  # staff are signed in

    def update_row(self, request: HttpRequest, row: User, changes: dict[str, Any]) -> User:
        """Nobody their own role or activity; the last admin of a business stays one."""
        password = changes.pop("new_password", "")
        if password:
            changes["password"] = password
        return services.update_user(user=row, by=request.user, **changes)  # type: ignore[arg-type]  # staff are signed in

    def delete_row(self, request: HttpRequest, row: User) -> None:
        """What the person made and did stays on record."""
        services.delete_user(user=row, by=request.user)  # type: ignore[arg-type]  # staff are signed in


@admin.register(OutgoingMail)
class OutgoingMailAdmin(StaffAdmin):
    """Mail that has not gone out yet. A failing mail server shows here."""

    list_display = ("kind", "address", "asked_at", "due_at", "attempts")
    list_filter = (by_choice("kind"), by_time("asked_at"))
    search_fields = ("address",)
    ordering = ("-asked_at",)
    fields = ("kind", "address", ("asked_at", "due_at"), "attempts")
