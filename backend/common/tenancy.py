"""Tenancy, decided once: which rows the current caller may see.

Every tenant-owned model has `objects = TenantManager()`. A query through it is narrowed to the current scope;
outside any scope it raises `OutsideScope`, so that a forgotten filter shows nothing rather than everything.
Scopes are entered at the borders: the API's base view, a job's first line, a management command, a socket.

    with scope_of_client(client_id):
        Floor.objects.all()          # that client's floors, and no others
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

from django.db import models

M = TypeVar("M", bound=models.Model)


class OutsideScope(RuntimeError):
    """A tenant-owned table was queried while nobody had said for whom."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is visible: everything, one client's rows, or one floor's share of a client's rows.

    `client_id is None` means every client (sync2gear's staff and the system itself). `floor_bound` narrows
    to `floor_id`; a floor-bound caller without a floor sees no floor's rows.
    """

    client_id: int | None = None
    floor_bound: bool = False
    floor_id: int | None = None
    nothing: bool = False


EVERYTHING = Scope()
NOTHING = Scope(nothing=True)

_scope: ContextVar[Scope | None] = ContextVar("sync2gear_scope", default=None)


def current_scope() -> Scope:
    """The scope in force; raises `OutsideScope` when there is none."""
    scope = _scope.get()
    if scope is None:
        raise OutsideScope("Enter a scope first: scope_of_client(id), or system_scope() with a reason.")
    return scope


def scope_if_any() -> Scope | None:
    """The scope in force, or None: for whoever only tells of it."""
    return _scope.get()


@contextmanager
def entered(scope: Scope | None) -> Iterator[None]:
    """Puts `scope` in force for the block (`None`: no scope, queries raise)."""
    token = _scope.set(scope)
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def scope_of_client(client_id: int) -> Iterator[None]:
    """One client's rows, all floors."""
    with entered(Scope(client_id=client_id)):
        yield


@contextmanager
def system_scope(reason: str) -> Iterator[None]:
    """Every client's rows. `reason` says why that is right at this place; it is for the reader."""
    if not reason:
        raise ValueError("Say why every client's rows are needed here.")
    with entered(EVERYTHING):
        yield


def narrow(scope: Scope) -> None:
    """Replaces the scope in force, inside a block opened by `entered` that will restore it."""
    _scope.set(scope)


class TenantQuerySet(models.QuerySet[M], Generic[M]):
    """A queryset that knows which of its columns carry the tenant.

    A model's own queryset may override `client_path` (lookup of the client's id) and `floor_path` (lookup of
    the floor's id, or None when a floor user sees the whole client's rows).
    """

    client_path = "client_id"
    floor_path: str | None = None

    def visible_in(self, scope: Scope) -> Self:
        """The rows that `scope` shows."""
        if scope.nothing:
            return self.none()
        visible = self
        if scope.client_id is not None:
            visible = visible.filter(**{self.client_path: scope.client_id})
        if scope.floor_bound and self.floor_path is not None:
            if scope.floor_id is None:
                return self.none()
            visible = visible.filter(**{self.floor_path: scope.floor_id})
        return visible


class TenantManager(models.Manager.from_queryset(TenantQuerySet)):  # type: ignore[misc]  # a class made at run time
    """The default manager of tenant-owned models: every query starts from the current scope.

    A model with a queryset class of its own says `objects = TenantManager.from_queryset(ThatQuerySet)()`.
    """

    def get_queryset(self) -> Any:
        """Rows of the current scope; raises `OutsideScope` when none is in force."""
        return super().get_queryset().visible_in(current_scope())
