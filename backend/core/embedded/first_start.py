"""What a first start makes: the super admin."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from common.environment import FirstStart
from common.permissions import ADMIN
from users.models import User


@dataclass(frozen=True, slots=True)
class Account:
    """How somebody signs in. The password does not show in logs; whoever chose it need not be told."""

    email: str
    password: str = field(repr=False)
    chosen: bool = False


ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without letters and digits that look alike."""


def new_password() -> str:
    """79 random bits, in four groups that a person can read off and type."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4))


def ensure_super_admin(wanted: FirstStart) -> Account | None:
    """Makes the super admin if there is none; returns how to sign in, or None when one was there already."""
    if User.everyone.filter(role=ADMIN).exists():
        return None
    chosen = wanted.admin_password
    account = Account(wanted.admin_email, chosen or new_password(), chosen=bool(chosen))
    User.everyone.create_superuser(username=account.email, email=account.email, password=account.password)
    return account


def super_admin() -> User:
    """The oldest super admin; the server has one from its first start."""
    return User.everyone.filter(role=ADMIN).order_by("pk")[0]
