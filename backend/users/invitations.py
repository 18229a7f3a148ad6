"""Ways into an account by mail: invitations, and new passwords for those who forgot theirs."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from audit.services import record
from common import jobs
from common.context import identify
from common.errors import Refusal
from users import links
from users.models import OutgoingMail, User
from users.passwords import set_new_password
from users.selectors import person_with_address
from users.tasks import deliver_mail


@transaction.atomic
def invite(*, user: User) -> None:
    """Sends somebody without a password the link to choose one; an earlier link opens nothing any more.

    Raises Refusal `not_invited` for an account that has a password or is switched off.
    """
    if user.status != User.Status.INVITED:
        raise Refusal(
            "not_invited",
            "This person has a password already, or is switched off: there is nothing to accept.",
        )
    user.session_generation += 1
    user.save(update_fields=["session_generation"])
    record("invite", resource="user", resource_id=user.pk, client_id=user.client_id)
    _owe(OutgoingMail.Kind.INVITATION, user.email)


@transaction.atomic
def accept_invitation(*, token: str, password: str, name: str | None = None, now: datetime) -> User:
    """Gives the invited person their password and, if they say it, their name; they act from here on.

    Raises Refusal `link_invalid`; `ValidationError` for a weak password.
    """
    user = links.person_behind(token, links.INVITATION, now=now)
    if name is not None:
        user.name = name
    user.last_login = now
    _with_password(user, password)
    record("accept_invitation", resource="user", resource_id=user.pk, client_id=user.client_id)
    return user


@transaction.atomic
def request_password_reset(*, email: str) -> None:
    """Sends a link to choose a new password, if somebody has this address.

    The same work is done for an address that nobody has: whether there is a mail to write, the job finds out.
    """
    user = person_with_address(email)
    record(
        "password_reset_requested",
        resource="user",
        resource_id=user.pk if user else "",
        client_id=user.client_id if user else None,
        details={"account": email},
    )
    _owe(OutgoingMail.Kind.PASSWORD_RESET, email)


@transaction.atomic
def reset_password(*, token: str, password: str, now: datetime) -> User:
    """Gives the person behind the link a new password, which ends all their sessions.

    Raises Refusal `link_invalid`; `ValidationError` for a weak password.
    """
    user = links.person_behind(token, links.PASSWORD_RESET, now=now)
    _with_password(user, password)
    record("password_reset", resource="user", resource_id=user.pk, client_id=user.client_id)
    return user


def _owe(kind: OutgoingMail.Kind, address: str) -> None:
    mail = OutgoingMail.objects.create(kind=kind, address=address)
    jobs.enqueue(deliver_mail, mail.pk)


def _with_password(user: User, password: str) -> None:
    """The holder of the link is the person: they are named to the audit trail."""
    identify(user_id=user.pk, name=user.get_username())
    set_new_password(user, password)
    user.save()
