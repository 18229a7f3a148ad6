"""What a token says of its person besides their id, and whether it still holds.

Two things end every token of a person at once: a new password, and a new `session_generation`, which counts up
when they are switched off, get another role or floor, or sign out everywhere. The end of a session ends its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import Token
from rest_framework_simplejwt.utils import get_md5_hash_password

from common import clock
from common.permissions import ADMIN, CLIENT
from users.models import User, UserSession

GENERATION_CLAIM = "gen"
"""A token without it is of the first generation."""

SESSION_CLAIM = "sid"
"""The session that a token belongs to (OpenID Connect Front-Channel Logout 1.0 §3). What staff are lent has none."""

ACTOR_CLAIM = "act"
"""Who really acts (RFC 8693 §4.1), with the same claims about them; no token of a person's own session has it."""

Claims = Token | Mapping[str, Any]

T = TypeVar("T", bound=Token)


def bound(token: T, user: User) -> T:
    """The token, bound to this person's present generation: `bound(AccessToken.for_user(user), user)`."""
    token[GENERATION_CLAIM] = user.session_generation
    return token


def carrying(actor: User, token: T) -> T:
    """The token, by which `actor` will act in the name of its person."""
    token[ACTOR_CLAIM] = {
        "sub": str(actor.pk),
        GENERATION_CLAIM: actor.session_generation,
        api_settings.REVOKE_TOKEN_CLAIM: get_md5_hash_password(actor.password),
    }
    return token


def holds(token: Claims, user: User) -> bool:
    """Whether nothing has ended the token since it was made for this person, nor shut them out with their business.

    `token` may also be what another's token says of an actor. Signature and life are checked before.
    """
    return (
        user.may_sign_in
        and token.get(GENERATION_CLAIM, 0) == user.session_generation
        and token.get(api_settings.REVOKE_TOKEN_CLAIM) == get_md5_hash_password(user.password)
    )


def recognise(token: Token, user: User) -> bool:
    """Whether this person may act by the token, which holds for them; tells `user` who really acts, if somebody else.

    A client admin's identity alone is lent, and only to who is a member of staff still.
    """
    actor = token.get(ACTOR_CLAIM)
    if actor is None:
        return True
    staff = User.everyone.filter(pk=actor["sub"], role=ADMIN).first()
    if staff is None or not holds(actor, staff) or user.role != CLIENT:
        return False
    user.impersonator, user.impersonated_until = staff, end_of(token)
    return True


def session_of(token: Claims) -> UUID | None:
    """The session that the token belongs to; None for what has none."""
    named = token.get(SESSION_CLAIM)
    return UUID(named) if named else None


def end_of(token: Token) -> datetime:
    """When the token expires."""
    return datetime.fromtimestamp(token["exp"], tz=UTC)


def still_good(asked: Sequence[Mapping[str, Any]]) -> list[User | None]:
    """The people of many tokens' claims, in order, by two queries; None for whom the token lets in no longer.

    For what outlives one request. A token of a session is good as long as that, whatever its own life; any other,
    as the one that is lent to staff, until it expires.
    """
    now = clock.now()
    actors = {claims[ACTOR_CLAIM]["sub"] for claims in asked if ACTOR_CLAIM in claims}
    ids = {str(claims[api_settings.USER_ID_CLAIM]) for claims in asked} | actors
    people = {
        str(user.pk): user for user in User.everyone.select_related("client", "floor").filter(pk__in=ids)
    }
    named = {sid for claims in asked if (sid := session_of(claims)) is not None}
    alive = UserSession.objects.filter(pk__in=named, ended_at=None, expires_at__gt=now)
    sessions = set(alive.values_list("pk", "user_id"))

    def good(claims: Mapping[str, Any]) -> User | None:
        user = people.get(str(claims[api_settings.USER_ID_CLAIM]))
        if user is None or not holds(claims, user):
            return None
        sid = session_of(claims)
        if sid is not None and (sid, user.pk) not in sessions:
            return None
        if sid is None and now.timestamp() >= claims["exp"]:
            return None
        actor = claims.get(ACTOR_CLAIM)
        if actor is None:
            return user
        staff = people.get(actor["sub"])
        lent = staff is not None and staff.role == ADMIN and holds(actor, staff) and user.role == CLIENT
        return user if lent else None

    return [good(claims) for claims in asked]
