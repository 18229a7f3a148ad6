"""Sessions: signing in, rotating the tokens, signing out.

A session is a pair of tokens (JWT, RFC 7519): `access` for half an hour, `refresh` for two weeks and one use.
Both end with a new password, role or floor (`users/tokens.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken, UntypedToken

from audit.services import record
from common.context import identify
from common.errors import Refusal
from common.throttling import caller_address, forgive, spend
from common.validators import field_error
from users.impersonation import refuse_borrowed
from users.models import User
from users.selectors import find_account
from users.tokens import bound, holds

LONGEST_RECORDED_NAME = 254
"""Of the account name in a failed sign-in, so that nobody fills the audit trail with text of their own."""

NO_SESSION = "Sign in again: this refresh token opens nothing any more."


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person and their fresh pair of tokens."""

    user: User
    access: str
    refresh: str


@transaction.atomic
def open_session(user: User) -> Session:
    """A fresh pair of tokens for a person whose right to it is established.

    Raises Refusal `impersonating`: who borrows an identity gets no session that outlives the loan.
    """
    refuse_borrowed(user, "open a session")
    refresh = bound(RefreshToken.for_user(user), user)
    # simplejwt keeps the token itself, which whoever reads the table could use. Its id is all that is needed.
    OutstandingToken.objects.filter(jti=refresh[api_settings.JTI_CLAIM]).update(token="")
    return Session(user=user, access=str(refresh.access_token), refresh=str(refresh))


def proven(*, account: str, password: str, now: datetime) -> User:
    """The person with this e-mail address or username, who knows the password. Attempts are limited and failures
    audited; both are committed whatever comes after.

    Raises Refusal `bad_credentials`, the same for an unknown account, a wrong password and a person switched
    off or shut out with the business, and after the same work: an unknown account costs one hash too. Raises
    Refusal `rate_limited`.
    """
    address = caller_address()
    account_there = f"{account.strip().lower()} from {address}"
    spend("login.address", address, now=now)
    spend("login.account", account_there, now=now)
    user = find_account(account)
    if user is None:
        User().set_password(password)
        right = False
    else:
        right = user.check_password(password) and user.may_sign_in
    if user is None or not right:
        record(
            "login_failed",
            resource="user",
            resource_id=user.pk if user else "",
            client_id=user.client_id if user else None,
            details={"account": account[:LONGEST_RECORDED_NAME]},
        )
        raise Refusal("bad_credentials", "The e-mail address or the password is wrong.")
    forgive("login.account", account_there, now=now)
    return user


def sign_in(*, account: str, password: str, now: datetime) -> Session:
    """A session for the person with this e-mail address or username; raises as `proven` does."""
    user = proven(account=account, password=password, now=now)
    with transaction.atomic():
        User.everyone.filter(pk=user.pk).update(last_login=now)
        user.last_login = now
        identify(user_id=user.pk, name=user.get_username())
        record("login", resource="user", resource_id=user.pk, client_id=user.client_id)
        return open_session(user)


@transaction.atomic
def rotate(*, refresh: str) -> Session:
    """A fresh pair for an unused refresh token, which is used up by it.

    Raises Refusal `token_invalid` for a token that is forged, expired, used or signed out, and when its person
    is gone, switched off or shut out with the business, or has a new password, role or floor.
    """
    try:
        token = RefreshToken(refresh)  # type: ignore[arg-type]  # the stubs want a Token, the code a text
    except TokenError:
        raise Refusal("token_invalid", NO_SESSION) from None
    user = User.everyone.select_related("client", "floor").filter(pk=_person_of(token)).first()
    if user is None or not holds(token, user) or not _use_up(token, user):
        raise Refusal("token_invalid", NO_SESSION)
    return open_session(user)


@transaction.atomic
def sign_out(*, user: User, refresh: str) -> None:
    """Ends the session of this refresh token; its access token runs out by itself within half an hour.

    One that has expired or ended already is no error. Raises `ValidationError` for what is no refresh token
    of ours, and Refusal `permission_denied` for another person's.
    """
    try:
        token = UntypedToken(refresh)  # type: ignore[arg-type]  # the stubs want a Token, the code a text
    except ExpiredTokenError:
        return
    except TokenError:
        raise field_error("refresh", "token_invalid", "This is no refresh token of this server.") from None
    if token.get(api_settings.TOKEN_TYPE_CLAIM) != RefreshToken.token_type:
        raise field_error("refresh", "token_invalid", "Give the refresh token, not the access token.")
    if _person_of(token) != str(user.pk):
        raise Refusal("permission_denied", "This session is somebody else's.")
    if _use_up(token, user):
        record("logout", resource="user", resource_id=user.pk, client_id=user.client_id)


def _person_of(token: RefreshToken | UntypedToken) -> str:
    return str(token.get(api_settings.USER_ID_CLAIM, ""))


def _use_up(token: RefreshToken | UntypedToken, user: User) -> bool:
    """Blacklists the token; False when that was done before. The unique key lets one of two racers win."""
    outstanding = OutstandingToken.objects.filter(jti=token[api_settings.JTI_CLAIM], user=user).first()
    if outstanding is None:
        return False
    return BlacklistedToken.objects.get_or_create(token=outstanding)[1]
