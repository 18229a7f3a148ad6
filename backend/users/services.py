"""Changes of people: registration of a business, accounts by their admins, one's own profile.

An account signs in with its e-mail address, kept in lower case; the username follows it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from audit.services import record
from clients.models import Client
from clients.selectors import email_is_a_clients, locked_for_update
from clients.services import open_trial
from common.context import identify
from common.errors import Refusal
from common.permissions import ADMIN, CLIENT, FLOOR_USER
from common.validators import field_error
from users.impersonation import refuse_borrowed
from users.invitations import invite
from users.models import User
from users.passwords import set_new_password
from users.selectors import email_is_a_persons, has_other_admin

GRANTS: dict[str, frozenset[str]] = {
    ADMIN: frozenset({ADMIN, CLIENT, FLOOR_USER}),
    CLIENT: frozenset({CLIENT, FLOOR_USER}),
    FLOOR_USER: frozenset(),
}
"""Which roles a role may give to others."""

NOT_TO_ONESELF: dict[str, str] = {
    "role": "Nobody changes their own role: ask another admin.",
    "floor": "Nobody changes their own floor: ask another admin.",
    "is_active": "Nobody switches off their own account: ask another admin.",
    "password": "Change your own password at /api/auth/me/, with the current one.",
}
"""What an admin may change for others only, and what to do instead."""

ENDS_SESSIONS = ("role", "floor_id", "is_active")
"""A change of these by an admin ends the person's sessions; a new password does so by itself."""

TAKEN = "Somebody signs in with this address already."


@transaction.atomic
def register_business(
    *,
    business_name: str,
    name: str,
    email: str,
    password: str,
    telephone: str,
    timezone: str,
    now: datetime,
) -> User:
    """A business on trial and its client admin, who acts from here on. It has no floor yet.

    Raises `ValidationError`: an address that a business or a person uses (any case), a weak password.
    """
    email = email.lower()
    if email_is_a_clients(email) or email_is_a_persons(email):
        raise field_error("email", "unique", "This address is registered already: sign in instead.")
    client = open_trial(
        business_name=business_name, email=email, telephone=telephone, timezone=timezone, now=now
    )
    user = _new_account(email=email, name=name, phone=telephone, role=CLIENT, client=client)
    set_new_password(user, password)
    _save(user)
    identify(user_id=user.pk, name=user.get_username())
    record("register", resource="client", resource_id=client.pk, client_id=client.pk)
    return user


@transaction.atomic
def create_user(
    *, by: User, client: Client | None, role: str, email: str, password: str | None = None, **fields: Any
) -> User:
    """An account, made by an admin. `fields`: name or first_name and last_name, phone, floor, is_active.

    Without a password its person is invited by mail to choose one.

    Raises Refusal `permission_denied` for a role that `by` may not give, `impersonating` for a password chosen under
    a borrowed identity; `ValidationError` for a floor that does not fit the role, a used address, a weak password.
    """
    _may_grant(by, role)
    if password is not None:
        refuse_borrowed(by, "choose a password: leave it out, and the person is invited")
    if email_is_a_persons(email):
        raise field_error("email", "unique", TAKEN)
    user = _new_account(email=email, role=role, client=client, **fields)
    _role_fits(user)
    if password is None:
        user.set_unusable_password()
    else:
        set_new_password(user, password)
    _save(user)
    if user.status == User.Status.INVITED:
        invite(user=user)
    return user


@transaction.atomic
def update_user(*, user: User, by: User, **changes: Any) -> User:
    """Changes an account: email, name, first_name, last_name, phone, role, floor, is_active, password.

    Somebody who is still invited is invited anew at another address.

    Raises Refusal: `own_account` for what nobody does to themselves, `permission_denied` for a role that `by`
    may not give, `impersonating` for an address or password changed under a borrowed identity, `last_admin` when
    the business would be left without an active client admin. Raises
    `ValidationError` for a floor that does not fit the role, a used address, a weak password.
    """
    if needs_password(user, **changes):
        refuse_borrowed(by, "change anybody's address or password")
    if user.pk == by.pk:
        _refuse_to_oneself(user, changes)
    role = changes.get("role", user.role)
    if role != user.role:
        _may_grant(by, role)
        if ADMIN in {role, user.role}:
            raise field_error(
                "role", "role_fixed", "Staff stay staff and clients stay clients: make a new account."
            )
    if role != CLIENT or not changes.get("is_active", user.is_active):
        _keep_an_admin(user)
    standing = {name: getattr(user, name) for name in ENDS_SESSIONS}
    if role == CLIENT and user.role == FLOOR_USER:
        changes.setdefault("floor", None)
    password = changes.pop("password", None)
    moved = _change_email(user, changes.pop("email", user.email))
    _assign(user, changes)
    if {"role", "floor"} & changes.keys():
        _role_fits(user)
    if password is not None:
        set_new_password(user, password)
    if user.has_usable_password() and any(getattr(user, name) != was for name, was in standing.items()):
        user.session_generation += 1
    _save(user)
    if user.status == User.Status.INVITED and (moved or not standing["is_active"]):
        invite(user=user)
    return user


@transaction.atomic
def delete_user(*, user: User, by: User) -> None:
    """Removes an account; what it made and did stays, under its name in the audit trail.

    Raises Refusal: `own_account`, `last_admin`.
    """
    if user.pk == by.pk:
        raise Refusal("own_account", "Nobody deletes their own account: ask another admin.")
    _keep_an_admin(user)
    user.delete()


@transaction.atomic
def update_profile(
    *, user: User, current_password: str | None = None, password: str | None = None, **changes: Any
) -> User:
    """Changes one's own email, name, first_name, last_name, phone, password.

    Another address and a new password need the current one: with either, an account can be taken over. Raises
    Refusal `wrong_password`; `ValidationError` for a used address or a weak password.
    """
    if needs_password(user, password=password, **changes):
        if current_password is None:
            raise field_error("current_password", "required", "Give your current password for this change.")
        prove_oneself(user, current_password)
    _change_email(user, changes.pop("email", user.email))
    _assign(user, changes)
    if password is not None:
        set_new_password(user, password)
    _save(user)
    return user


def prove_oneself(user: User, current_password: str) -> None:
    """Raises Refusal `wrong_password` unless this is the person's password."""
    if not user.check_password(current_password):
        raise Refusal("wrong_password", "The current password is wrong.", field="current_password")


def needs_password(user: User, *, password: str | None = None, email: str | None = None, **_: Any) -> bool:
    """Whether this change of one's own profile needs the current password."""
    return password is not None or (email is not None and email.lower() != user.email)


def _new_account(*, email: str, **fields: Any) -> User:
    user = User(email=email.lower(), username=email.lower(), **fields)
    user.is_staff = user.is_superuser = user.role == ADMIN
    return user


def _assign(user: User, changes: dict[str, Any]) -> None:
    for field, value in changes.items():
        setattr(user, field, value)


def _change_email(user: User, email: str) -> bool:
    """Whether the address is another one now."""
    email = email.lower()
    if email == user.email:
        return False
    if email_is_a_persons(email, except_pk=user.pk):
        raise field_error("email", "unique", TAKEN)
    if user.username == user.email.lower():
        user.username = email
    user.email = email
    return True


def _save(user: User) -> None:
    """Checks and saves. The username holds an address, which may have characters that usernames may not."""
    user.full_clean(exclude={"username"}, validate_unique=False, validate_constraints=False)
    user.save()


def _may_grant(by: User, role: str) -> None:
    if role not in GRANTS[by.role]:
        raise Refusal("permission_denied", f"You may not give the role {role}.", field="role")


def _refuse_to_oneself(user: User, changes: dict[str, Any]) -> None:
    for field, instead in NOT_TO_ONESELF.items():
        if field in changes and changes[field] != getattr(user, field):
            raise Refusal("own_account", instead, field=field)


def _role_fits(user: User) -> None:
    """A floor user has a floor of their client, nobody else has one; staff belong to no client."""
    if user.role == FLOOR_USER:
        if user.floor is None:
            raise field_error("floor", "required", "A floor user needs a floor.")
    elif user.floor is not None:
        raise field_error("floor", "floor_not_allowed", "Only a floor user has a floor.")
    if (user.role == ADMIN) != (user.client is None):
        raise field_error("client", "client_role", "Staff belong to no client, everybody else to one.")
    if user.floor is not None and user.floor.client_id != user.client_id:
        raise field_error("floor", "other_client", "That floor belongs to another client.")


def _keep_an_admin(user: User) -> None:
    """Refuses to take away the last active client admin. The client's row is locked: two cannot both leave."""
    if user.role != CLIENT or user.status != User.Status.ACTIVE or user.client_id is None:
        return
    locked_for_update(user.client_id)
    if not has_other_admin(user.client_id, than=user.pk):
        raise Refusal(
            "last_admin", "This is the business's only active admin. Make somebody else an admin first."
        )
