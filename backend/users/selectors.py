"""Reads about people. Those that look beyond the caller's scope say so."""

from __future__ import annotations

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import F, Func, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Concat, Lower, NullIf, Trim

from common.permissions import CLIENT
from users.models import User


def find_account(name: str) -> User | None:
    """The person who signs in as `name`, an e-mail address in any case or an exact username, active or not.

    Unscoped: nobody is signed in yet. An address wins over a username that happens to read the same.
    """
    lowered = name.strip().lower()
    if not lowered:
        return None
    candidates = (
        User.everyone.select_related("client", "floor")
        .alias(lower_email=Lower("email"))
        .filter(Q(lower_email=lowered) | Q(username=name.strip()))
        .order_by("pk")
    )
    return next(iter(sorted(candidates, key=lambda user: user.email.lower() != lowered)), None)


def person_with_address(email: str) -> User | None:
    """The person who has this address, in any case, active or not. Unscoped: nobody is signed in yet."""
    people = User.everyone.select_related("client").alias(lower_email=Lower("email"))
    return people.filter(lower_email=email.lower()).first()


def called(reference: str) -> Func:
    """What the person behind a foreign key is called, as `str(user)` says it, in a query; null for nobody."""
    whole = Concat(F(f"{reference}__first_name"), Value(" "), F(f"{reference}__last_name"))
    return Coalesce(NullIf(Trim(whole), Value("")), F(f"{reference}__username"))


def with_status(people: QuerySet[User], status: str) -> QuerySet[User]:
    """Those of `people` whose `status` is this one."""
    invited = Q(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    return people.filter(
        {
            User.Status.INVITED: Q(is_active=True) & invited,
            User.Status.ACTIVE: Q(is_active=True) & ~invited,
            User.Status.INACTIVE: Q(is_active=False),
        }[User.Status(status)]
    )


def email_is_a_persons(email: str, *, except_pk: int | None = None) -> bool:
    """Whether somebody signs in with this address, in any case. Unscoped: an address is used once among all."""
    lowered = email.lower()
    people = User.everyone.alias(lower_email=Lower("email"), lower_username=Lower("username"))
    taken = people.filter(Q(lower_email=lowered) | Q(lower_username=lowered))
    if except_pk is not None:
        taken = taken.exclude(pk=except_pk)
    return taken.exists()


def has_other_admin(client_id: int, *, than: int) -> bool:
    """Whether this business has a client admin besides `than` who can sign in: active, and not merely invited."""
    admins = User.objects.filter(client_id=client_id, role=CLIENT)
    return with_status(admins, User.Status.ACTIVE).exclude(pk=than).exists()
