"""Sessions: signing in, rotating the tokens, signing out.

A session is a row, and a pair of tokens that name it (JWT, RFC 7519): `access` for half an hour, `refresh` for two
weeks and one use. Who uses none for two weeks is signed out, and everybody after LONGEST. Both tokens end with the
session, at once, and with a new password, role or floor (`users/tokens.py`). A refresh token that comes a second time
was copied: whoever of the two came first, the session ends (RFC 9700 §4.14.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken, UntypedToken

from audit.services import record
from common import clock
from common.context import current_actor, identify
from common.errors import Refusal
from common.throttling import caller_address, forgive, spend
from common.validators import field_error
from users.impersonation import refuse_borrowed
from users.models import User, UserSession
from users.selectors import find_account
from users.tokens import SESSION_CLAIM, bound, end_of, holds, session_of

LONGEST_RECORDED_NAME = 254
"""Of the account name in a failed sign-in, so that nobody fills the audit trail with text of their own."""

LONGEST = timedelta(days=90)
"""A session's whole life, however often it is used."""

HASTE = timedelta(seconds=30)
"""Within so long after its use a refresh token may come again by an accident: two tabs, a lost answer."""

NO_SESSION = "Sign in again: this refresh token opens nothing any more."


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person and their fresh pair of tokens."""

    user: User
    access: str
    refresh: str


@transaction.atomic
def open_session(user: User) -> Session:
    """A new session of a person whose right to it is established.

    Raises Refusal `impersonating`: who borrows an identity gets no session that outlives the loan.
    """
    refuse_borrowed(user, "open a session")
    now = clock.now()
    row = UserSession.objects.create(
        user=user,
        began_at=now,
        used_at=now,
        expires_at=now + LONGEST,
        ip_address=current_actor().ip_address,
        user_agent=current_actor().user_agent[: UserSession._meta.get_field("user_agent").max_length],
    )
    return _tokens(row, user)


def _tokens(row: UserSession, user: User) -> Session:
    """The session's next pair of tokens, neither of which outlives it."""
    refresh = bound(RefreshToken.for_user(user), user)
    refresh[SESSION_CLAIM] = row.pk.hex
    if row.expires_at < end_of(refresh):
        refresh.set_exp(from_time=row.expires_at, lifetime=timedelta(0))
    # simplejwt keeps the token itself, which whoever reads the table could use. Its id is all that is needed.
    OutstandingToken.objects.filter(jti=refresh[api_settings.JTI_CLAIM]).update(
        token="", expires_at=end_of(refresh)
    )
    return Session(user=user, access=str(refresh.access_token), refresh=str(refresh))


def open_sessions(user: User) -> QuerySet[UserSession]:
    """The sessions by which this person is signed in, the latest used first."""
    now = clock.now()
    # One that was not used for as long as a refresh token lives has no token any more.
    used = now - api_settings.REFRESH_TOKEN_LIFETIME
    return UserSession.objects.filter(user=user, ended_at=None, expires_at__gt=now, used_at__gt=used)


@transaction.atomic
def end_all(*, user: User) -> None:
    """Signs a person out everywhere: the API, the admin, and whoever acts in their name."""
    User.everyone.filter(pk=user.pk).update(session_generation=F("session_generation") + 1)
    UserSession.objects.filter(user=user, ended_at=None).update(ended_at=clock.now())
    record("logout_everywhere", resource="user", resource_id=user.pk, client_id=user.client_id)


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
    _spend_everywhere(account, user, now=now)
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


def _spend_everywhere(account: str, user: User | None, *, now: datetime) -> None:
    """Counts an attempt on this account from wherever it comes; raises Refusal `rate_limited`.

    Not for an address from which the person has signed in: who guesses elsewhere cannot shut them out of their shop.
    """
    try:
        spend("login.everywhere", account.strip().lower(), now=now)
    except Refusal:
        here = current_actor().ip_address
        if (
            user is None
            or here is None
            or not UserSession.objects.filter(user=user, ip_address=here).exists()
        ):
            raise


def sign_in(*, account: str, password: str, now: datetime) -> Session:
    """A session for the person with this e-mail address or username; raises as `proven` does."""
    user = proven(account=account, password=password, now=now)
    with transaction.atomic():
        User.everyone.filter(pk=user.pk).update(last_login=now)
        user.last_login = now
        identify(user_id=user.pk, name=user.get_username())
        record("login", resource="user", resource_id=user.pk, client_id=user.client_id)
        return open_session(user)


def rotate(*, refresh: str) -> Session:
    """A fresh pair for an unused refresh token, which is used up by it.

    Raises Refusal `token_invalid` for a token that is forged, expired, used or signed out, and when its person
    is gone, switched off or shut out with the business, or has a new password, role or floor. One that was used
    before ends its session.
    """
    try:
        with transaction.atomic():
            return _rotated(refresh)
    except Refusal:
        _end_if_copied(refresh)
        raise


def _rotated(refresh: str) -> Session:
    try:
        token = RefreshToken(refresh)  # type: ignore[arg-type]  # the stubs want a Token, the code a text
    except TokenError:
        raise Refusal("token_invalid", NO_SESSION) from None
    user = User.everyone.select_related("client", "floor").filter(pk=_person_of(token)).first()
    if user is None or not holds(token, user) or not _use_up(token, user):
        raise Refusal("token_invalid", NO_SESSION)
    session_id = session_of(token)
    if session_id is None:  # of before there were sessions
        return open_session(user)
    row = open_sessions(user).select_for_update().filter(pk=session_id).first()
    if row is None:
        raise Refusal("token_invalid", NO_SESSION)
    row.used_at, row.ip_address = clock.now(), current_actor().ip_address
    row.save(update_fields=["used_at", "ip_address"])
    return _tokens(row, user)


def _end_if_copied(refresh: str) -> None:
    """Ends the session of a refresh token that was used some time before: somebody else has it too."""
    try:
        token = UntypedToken(refresh)  # type: ignore[arg-type]  # the stubs want a Token, the code a text
    except TokenError:
        return
    used = BlacklistedToken.objects.filter(
        token__jti=token[api_settings.JTI_CLAIM], blacklisted_at__lt=clock.now() - HASTE
    )
    session_id = session_of(token)
    if session_id is None or not used.exists():
        return
    with transaction.atomic():
        row = UserSession.objects.select_related("user").filter(pk=session_id, ended_at=None).first()
        if row is not None and _end(row):
            record(
                "refresh_reused",
                resource="user",
                resource_id=row.user_id,
                client_id=row.user.client_id,
                details={"session": str(row.pk)},
            )


def _end(row: UserSession) -> bool:
    """Ends it; False if it had ended."""
    return bool(UserSession.objects.filter(pk=row.pk, ended_at=None).update(ended_at=clock.now()))


@transaction.atomic
def sign_out(*, user: User, refresh: str) -> None:
    """Ends the session of this refresh token, and its access token with it.

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
    session_id = session_of(token)
    if session_id is not None:
        UserSession.objects.filter(pk=session_id, ended_at=None).update(ended_at=clock.now())
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
