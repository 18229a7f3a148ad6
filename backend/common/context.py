"""Who acts, from where, in which request: set once at the border, read by the audit log and the logs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who is responsible for what happens now.

    `real_user_id` and `real_name` are set under impersonation: the person behind the borrowed identity. `client_id` is
    the business that they belong to, None for sync2gear's own.
    """

    user_id: int | None = None
    name: str = "system"
    real_user_id: int | None = None
    real_name: str = ""
    ip_address: str | None = None
    request_id: str = ""
    client_id: int | None = None
    user_agent: str = ""


SYSTEM = Actor()
_actor: ContextVar[Actor] = ContextVar("sync2gear_actor", default=SYSTEM)


def current_actor() -> Actor:
    """The actor of the current request, job or command; `system` when nobody was named."""
    return _actor.get()


@contextmanager
def acting_as(actor: Actor) -> Iterator[None]:
    """Makes `actor` responsible for everything inside the block."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def identify(
    *,
    user_id: int | None,
    name: str,
    real_user_id: int | None = None,
    real_name: str = "",
    client_id: int | None = None,
) -> None:
    """Names the person once authentication knows them, keeping address and request id of the block around."""
    _actor.set(
        replace(
            _actor.get(),
            user_id=user_id,
            name=name,
            real_user_id=real_user_id,
            real_name=real_name,
            client_id=client_id,
        )
    )
