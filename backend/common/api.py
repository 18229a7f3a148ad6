"""The ground under every API view: sign-in, role, tenant scope, lock of the business, idempotency.

A leaf viewset is declarative:

    class FloorViewSet(TenantViewSet):
        model = Floor
        serializer_class = FloorSerializer
        access = {"list": IsFloorUser, "retrieve": IsFloorUser, "create": IsClientAdmin, …}

Writes go through `create_row`, `update_row` and `delete_row`, which a viewset points at its services. After a
write the row is looked up again through the caller's own scope: one that escaped it is rolled back.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models, transaction
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import mixins, status
from rest_framework.filters import SearchFilter
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from common.context import identify
from common.errors import Refusal
from common.filters import StableOrdering
from common.permissions import ADMIN, IsNobody
from common.tenancy import NOTHING, Scope, entered, narrow


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

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Runs REST framework's own checks, then enters the caller's scope and refuses a locked business."""
        super().initial(request, *args, **kwargs)
        user: Any = request.user
        narrow(scope_of(user))
        if not getattr(user, "is_authenticated", False):
            return
        if getattr(user, "is_device", False):
            identify(user_id=None, name=f"device {user.device_id}")
            return
        impersonator = getattr(user, "impersonator", None)
        identify(
            user_id=user.pk,
            name=user.get_username(),
            real_user_id=impersonator.pk if impersonator else None,
            real_name=impersonator.get_username() if impersonator else "",
        )
        exempt = user.role == ADMIN or self.action_name() in self.works_when_locked
        if request.method not in SAFE_METHODS and not exempt:
            refuse_locked(user.client)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Handles the request inside a scope of its own, which `initial` narrows to the caller's."""
        with entered(NOTHING):
            return super().dispatch(request, *args, **kwargs)

    def handle_exception(self, exc: Exception) -> Response:
        """A 401 always says how to sign in (RFC 9110 §11.6.1)."""
        response = super().handle_exception(exc)
        if response.status_code == status.HTTP_401_UNAUTHORIZED and "WWW-Authenticate" not in response:
            response["WWW-Authenticate"] = 'Bearer realm="api"'
        return response


class TenantViewSet(GuardedAPIView, GenericViewSet[Any]):
    """Rows of one model in the caller's scope."""

    model: ClassVar[type[models.Model]]
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

    def represent(self, instance: Any) -> Any:
        """The representation of one row in a response to a write."""
        return self.get_serializer(instance).data


class ListMixin(mixins.ListModelMixin):
    """GET a page of rows."""


class RetrieveMixin(mixins.RetrieveModelMixin):
    """GET one row."""


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
        """200 with the changed row."""
        with transaction.atomic():
            self.model._base_manager.select_for_update().filter(pk=self.get_object().pk).first()
            instance = self.get_object()  # as it is now that nobody else can change it
            serializer = self.get_serializer(instance, data=request.data, partial=True)
            serializer.is_valid(raise_exception=True)
            instance = self.visible_again(self.update_row(serializer))
        return Response(self.represent(instance))


class DestroyMixin:
    """DELETE a row."""

    def destroy(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        """204."""
        with transaction.atomic():
            self.delete_row(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


class CrudViewSet(ListMixin, RetrieveMixin, CreateMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """List, retrieve, create, change and delete rows of one model."""
