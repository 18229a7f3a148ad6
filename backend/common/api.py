"""The ground under every API view: sign-in, role, tenant scope, lock of the business, idempotency.

A leaf viewset is declarative:

    class FloorViewSet(TenantViewSet):
        model = Floor
        serializer_class = FloorSerializer
        access = {"list": IsFloorUser, "retrieve": IsFloorUser, "create": IsClientAdmin, …}

Every POST honours an `Idempotency-Key`, unless `repeatable` says why not. Every read of one row has an `ETag`, and
every change of it honours `If-Match`. Writes go through `create_row`, `update_row` and `delete_row`, which a viewset
points at its services. After a write the row is looked up again through the caller's own scope: one that escaped it is
rolled back.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models, transaction
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import mixins, status
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.filters import SearchFilter
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from common import clock
from common.conditional import IF_MATCH, etag_of, require_match, shown
from common.context import identify
from common.errors import Refusal
from common.filters import StableOrdering
from common.idempotency import idempotent
from common.permissions import ADMIN, IsNobody
from common.tenancy import NOTHING, Scope, entered, narrow
from common.throttling import counting, rate_headers, spend_refusal, spend_request


def scope_of(user: Any) -> Scope:
    """What a signed-in caller may see: staff everything, a client admin one client, a floor user one floor."""
    if getattr(user, "is_device", False):
        return Scope(client_id=user.client_id)
    if not getattr(user, "is_authenticated", False):
        return NOTHING
    if user.role == ADMIN:
        return Scope()
    if user.client_id is None:
        return NOTHING
    return Scope(client_id=user.client_id, floor_bound=user.role == "floor_user", floor_id=user.floor_id)


def refuse_locked(client: Any) -> None:
    """Raises the `Refusal` that says why this business is locked; returns when it is open."""
    locked = client.lock() if client is not None else None
    if locked is not None:
        raise Refusal(locked.code, locked.detail)


class GuardedAPIView(APIView):
    """Enforces, before any handler runs: sign-in, the action's role, the scope, the lock of the business."""

    access: ClassVar[dict[str, type[BasePermission]]] = {}
    works_when_locked: ClassVar[frozenset[str]] = frozenset()
    """Actions that a locked business may still call (they look after the lock themselves)."""
    repeatable: ClassVar[dict[str, str]] = {}
    """POST actions that take no `Idempotency-Key`, and why a retry does no harm."""
    conditional: ClassVar[frozenset[str]] = frozenset()
    """Actions on one row that know its entity tag: reads answer 304, changes 412."""
    only_in_person: ClassVar[frozenset[str]] = frozenset()
    """Actions that nobody calls under a borrowed identity."""

    @property
    def caller(self) -> Any:
        """Who asks: the signed-in person, or a device."""
        return self.request.user

    def action_name(self) -> str | None:
        """The viewset action, or the method's name in lower case on a plain view; HEAD is a GET."""
        named = getattr(self, "action", None)
        if named:
            return str(named)
        method = (self.request.method or "").lower() if hasattr(self, "request") else ""
        method = "get" if method == "head" else method
        return method if hasattr(self, method) and not hasattr(self, "action") else None

    def get_permissions(self) -> list[Any]:
        """The one permission that `access` gives to this action; nobody's if it gives none."""
        action = self.action_name()
        if action is None or action in {"metadata", "options"}:
            return []
        return [self.access.get(action, IsNobody)()]

    def perform_authentication(self, request: Request) -> None:
        """Finds out who calls, and counts the call before anything is done for it."""
        super().perform_authentication(request)
        user: Any = request.user
        known = getattr(user, "is_authenticated", False)
        match: Any = request.resolver_match
        spend_request(
            caller=f"caller:{user.pk}" if known else None,
            device=getattr(user, "is_device", False),
            method="GET" if request.method == "HEAD" else request.method or "",
            route=match.url_name or "",
            now=clock.now(),
        )

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Runs REST framework's own checks, then enters the caller's scope and refuses a locked business."""
        super().initial(request, *args, **kwargs)
        user: Any = request.user
        narrow(scope_of(user))
        if not getattr(user, "is_authenticated", False):
            return
        action = self.action_name()
        if request.method == "POST" and action is not None and action not in self.repeatable:
            self._act_once(request)
        if getattr(user, "is_device", False):
            identify(user_id=None, name=f"device {user.device_id}", client_id=user.client_id)
            return
        impersonator = getattr(user, "impersonator", None)
        identify(
            user_id=user.pk,
            name=user.get_username(),
            real_user_id=impersonator.pk if impersonator else None,
            real_name=impersonator.get_username() if impersonator else "",
            client_id=user.client_id,
        )
        if impersonator is not None and self.action_name() in self.only_in_person:
            raise Refusal(
                "impersonating", "Only the person themselves can do this, not staff who act as them."
            )
        exempt = user.role == ADMIN or self.action_name() in self.works_when_locked
        if request.method not in SAFE_METHODS and not exempt:
            refuse_locked(user.client)

    def _act_once(self, request: Request) -> None:
        """Has this request's POST handler look after the `Idempotency-Key`."""
        user: Any = request.user
        impersonator = getattr(user, "impersonator", None)
        caller = f"user:{user.pk}" + (f" by {impersonator.pk}" if impersonator else "")
        match: Any = request.resolver_match
        self.post: Any = idempotent(self.post, caller=caller, route=match.route)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Handles the request inside a scope of its own, which `initial` narrows to the caller's."""
        with entered(NOTHING), counting():
            return super().dispatch(request, *args, **kwargs)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Every answer to what was counted says what is left, a refusal too."""
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in rate_headers().items():
            response[name] = value
        return response

    def handle_exception(self, exc: Exception) -> Response:
        """A 401 always says how to sign in (RFC 9110 §11.6.1). Too many of them are a 429."""
        if isinstance(exc, NotAuthenticated | AuthenticationFailed):
            try:
                spend_refusal(now=clock.now())
            except Refusal as refusal:
                exc = refusal
        response = super().handle_exception(exc)
        if response.status_code == status.HTTP_401_UNAUTHORIZED and "WWW-Authenticate" not in response:
            response["WWW-Authenticate"] = 'Bearer realm="api"'
        return response


class TenantViewSet(GuardedAPIView, GenericViewSet[Any]):
    """Rows of one model in the caller's scope."""

    model: ClassVar[type[models.Model]]
    conditional = frozenset({"retrieve", "partial_update", "destroy"})
    filter_backends = (DjangoFilterBackend, SearchFilter, StableOrdering)

    def get_queryset(self) -> Any:
        """The caller's rows; override to add `select_related`, annotations and the like.

        Always through `objects`, the scoped manager, whatever the model's default one is.
        """
        model: Any = self.model
        return model.objects.all()

    def create_row(self, serializer: Any) -> Any:
        """Makes the row; point it at a service where there is one."""
        return serializer.save()

    def update_row(self, serializer: Any) -> Any:
        """Changes the row."""
        return serializer.save()

    def delete_row(self, instance: Any) -> None:
        """Removes the row."""
        instance.delete()

    def visible_again(self, instance: Any) -> Any:
        """The row as the caller sees it after the write; a row that escaped the scope undoes the write."""
        found = self.get_queryset().filter(pk=instance.pk).first()
        if found is None:
            raise Refusal("permission_denied", "That would put the record where you may not see it.")
        return found

    def locked_object(self) -> Any:
        """The row of the path as it is now that nobody else can change it; inside a transaction."""
        self.model._base_manager.select_for_update(no_key=True).filter(pk=self.get_object().pk).first()
        return self.get_object()

    def matched_object(self) -> Any:
        """The row of the path, locked if `If-Match` asks for a version; raises Refusal `precondition_failed`."""
        if IF_MATCH not in self.request.headers:
            return self.get_object()
        instance = self.locked_object()
        require_match(self.request, self.get_serializer(instance))
        return instance

    def represent(self, instance: Any) -> Any:
        """The representation of one row in a response to a write."""
        return self.get_serializer(instance).data


class ListMixin(mixins.ListModelMixin):
    """GET a page of rows."""


class RetrieveMixin:
    """GET one row, with its entity tag; 304 for a reader that has it."""

    def retrieve(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        """200 with the row, or 304."""
        return shown(request, self.get_serializer(self.get_object()))


class CreateMixin:
    """POST a row."""

    def create(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        """201 with the new row."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        with transaction.atomic():
            instance = self.visible_again(self.create_row(serializer))
        return Response(self.represent(instance), status=status.HTTP_201_CREATED)


class UpdateMixin:
    """PATCH a row, locked while it changes. PUT is not offered: a partial change says what it means."""

    def partial_update(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        """200 with the changed row; 412 if `If-Match` names another version than the one that is locked."""
        with transaction.atomic():
            instance = self.locked_object()
            require_match(request, self.get_serializer(instance))
            serializer = self.get_serializer(instance, data=request.data, partial=True)
            serializer.is_valid(raise_exception=True)
            instance = self.visible_again(self.update_row(serializer))
        response = Response(self.represent(instance))
        response["ETag"] = etag_of(self.get_serializer(instance))
        return response


class DestroyMixin:
    """DELETE a row."""

    def destroy(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        """204; 412 if `If-Match` names another version of the row."""
        with transaction.atomic():
            self.delete_row(self.matched_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


class CrudViewSet(ListMixin, RetrieveMixin, CreateMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """List, retrieve, create, change and delete rows of one model."""
