"""The links in mails: signed tokens that expire and work once.

A token names its person and a digest of their account as it was (`_state`). Whatever the link is for changes the
account, so the token fits no second time; so do a sign-in, another address and being switched off. Nothing is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.utils.crypto import constant_time_compare, salted_hmac

from common.errors import Refusal
from users.models import User


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a link is for: the page of the front end that it leads to, and how long it lives."""

    name: str
    path: str
    life: timedelta


INVITATION = Purpose("invitation", "/invitation", timedelta(days=7))
PASSWORD_RESET = Purpose("password reset", "/password-reset", timedelta(hours=1))

SPENT = "This link was used before, has expired, or was replaced by a newer one. Ask for another."


def token_for(user: User, purpose: Purpose, *, now: datetime) -> str:
    """A token that opens this account for `purpose`, from `now` on for the purpose's life."""
    state = _state(user, key=settings.SECRET_KEY)
    return _signer(purpose).sign_object(
        {"user": user.pk, "until": int((now + purpose.life).timestamp()), "state": state}
    )


def link_for(user: User, purpose: Purpose, *, now: datetime) -> str:
    """The whole address. The token stands behind `#`, which browsers send to no server and no other page."""
    return f"{public_address()}{purpose.path}#token={token_for(user, purpose, now=now)}"


def person_behind(token: str, purpose: Purpose, *, now: datetime) -> User:
    """The person whose account the token opens, their row locked until the transaction ends.

    Raises Refusal `link_invalid`: forged, for another purpose, expired, used, or the account has changed since.
    """
    try:
        said = _signer(purpose).unsign_object(token)
    except BadSignature:
        raise Refusal("link_invalid", SPENT, field="token") from None
    user = User.everyone.select_for_update().filter(pk=said["user"]).first()
    alive = now < datetime.fromtimestamp(said["until"], tz=UTC)
    if user is None or not user.may_sign_in or not alive or not _unchanged(user, said["state"]):
        raise Refusal("link_invalid", SPENT, field="token")
    return user


def public_address() -> str:
    """Where people reach this server, without a slash at the end: PUBLIC_URL, else this machine's own address.

    Never a request's Host header: whoever asks for somebody else's mail could write their own name into it.
    """
    if settings.PUBLIC_URL:
        return str(settings.PUBLIC_URL)
    config = settings.CONFIG
    host = "127.0.0.1" if config.host in {"0.0.0.0", "::"} else config.host  # noqa: S104  # compared, not bound
    return f"http://{host}:{config.port}"


def _signer(purpose: Purpose) -> Signer:
    return Signer(salt=f"sync2gear.users.{purpose.name}", sep=".")


def _state(user: User, *, key: str) -> str:
    facts = (user.password, user.email, user.last_login, user.session_generation)
    return salted_hmac("sync2gear.users.link", repr(facts), secret=key).hexdigest()[:32]


def _unchanged(user: User, state: str) -> bool:
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(constant_time_compare(state, _state(user, key=key)) for key in keys)
