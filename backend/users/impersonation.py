"""Impersonation: a member of staff acts for a while as a client admin, and it is on record who really acts.

What is handed out is an access token alone, without a refresh token. It names the member of staff besides
the admin (`users.tokens`), and both are read anew at every request: what ends a session of either ends the loan.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from rest_framework_simplejwt.tokens import AccessToken

from audit.services import record
from clients.models import Client
from common.errors import Refusal
from common.permissions import CLIENT
from common.validators import field_error
from users.models import User
from users.selectors import with_status
from users.tokens import bound, carrying, end_of

LIFETIME = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Impersonation:
    """Whose identity was lent, the token that carries it, and until when."""

    user: User
    access: str
    expires_at: datetime


@transaction.atomic
def impersonate(
    *, client: Client, by: User, reason: str, now: datetime, user: User | None = None
) -> Impersonation:
    """A token by which `by`, a member of staff, acts as `user`: the business's oldest admin if nobody is named.

    Raises Refusal `client_deleting`, `no_admin` when the business has no active admin; `ValidationError` for a `user`
    who is none of its active admins.
    """
    if not client.lets_people_in:
        raise Refusal("client_deleting", f"{client.name} is being deleted: nobody signs in there.")
    admins = with_status(User.objects.filter(client=client, role=CLIENT), User.Status.ACTIVE).order_by("pk")
    lent = admins.first() if user is None else admins.filter(pk=user.pk).first()
    if lent is None and user is not None:
        raise field_error("user", "not_an_admin", f"{user} is no active admin of {client.name}.")
    if lent is None:
        raise Refusal("no_admin", f"{client.name} has no active admin whose identity could be lent.")
    token = carrying(by, bound(AccessToken.for_user(lent), lent))
    token.set_exp(from_time=now, lifetime=LIFETIME)
    expires_at = end_of(token)
    record(
        "impersonate",
        resource="user",
        resource_id=lent.pk,
        client_id=client.pk,
        details={"as": lent.get_username(), "reason": reason, "until": expires_at},
    )
    return Impersonation(user=lent, access=str(token), expires_at=expires_at)


def refuse_borrowed(user: User, what: str) -> None:
    """Raises Refusal `impersonating` when `user` is really somebody else; `what` says what they cannot do.

    For what would outlive the loan: a session, an address, a password.
    """
    if user.impersonator is not None:
        raise Refusal("impersonating", f"Who acts in another's name cannot {what}.")
