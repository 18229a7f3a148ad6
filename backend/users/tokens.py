"""What a token says of its person besides their id, and whether it still holds.

Two things end every token of a person at once: a new password, and a new `session_generation`, which counts up
when they are switched off or get another role or floor.
"""

from __future__ import annotations

from typing import TypeVar

from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import Token
from rest_framework_simplejwt.utils import get_md5_hash_password

from users.models import User

GENERATION_CLAIM = "gen"
"""A token without it is of the first generation."""

T = TypeVar("T", bound=Token)


def bound(token: T, user: User) -> T:
    """The token, bound to this person's present generation: `bound(AccessToken.for_user(user), user)`."""
    token[GENERATION_CLAIM] = user.session_generation
    return token


def holds(token: Token, user: User) -> bool:
    """Whether nothing has ended the token since it was made for this person, nor shut them out with their business.

    Signature and life are checked before.
    """
    return (
        user.may_sign_in
        and token.get(GENERATION_CLAIM, 0) == user.session_generation
        and token.get(api_settings.REVOKE_TOKEN_CLAIM) == get_md5_hash_password(user.password)
    )
