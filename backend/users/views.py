"""`/api/users/`: the accounts of a business, kept by its admins."""

from __future__ import annotations

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view

from common.api import CrudViewSet
from common.filters import TenantFilterSet
from common.openapi import reading, writing
from common.permissions import IsClientAdmin
from users import services
from users.models import User
from users.serializers import UserSerializer


class UserFilters(TenantFilterSet):
    """`?role=floor_user&floor=3&is_active=true`."""

    floor = filters.NumberFilter(field_name="floor_id", label="Id of the floor.")

    class Meta:
        model = User
        fields = ["client", "role", "floor", "is_active"]


@extend_schema_view(
    list=extend_schema(
        summary="List accounts", responses={200: UserSerializer(many=True), **reading("validation_failed")}
    ),
    retrieve=extend_schema(summary="Read an account", responses={200: UserSerializer, **reading()}),
    create=extend_schema(
        summary="Make an account",
        description="A floor user needs a floor, nobody else has one. Staff may make staff, who have no client.",
        responses={201: UserSerializer, **writing()},
    ),
    partial_update=extend_schema(
        summary="Change an account",
        description="Nobody changes their own role, floor, password or activity here.",
        responses={200: UserSerializer, **writing("own_account", "last_admin")},
    ),
    destroy=extend_schema(
        summary="Delete an account",
        description="What the person made and did stays on record.",
        responses={204: None, **writing("own_account", "last_admin")},
    ),
)
@extend_schema(tags=["users"])
class UserViewSet(CrudViewSet):
    """Staff see everybody, a client admin the people of their own business."""

    model = User
    serializer_class = UserSerializer
    filterset_class = UserFilters
    search_fields = ("email", "username", "first_name", "last_name")
    ordering_fields = ("email", "first_name", "last_name", "role", "is_active", "date_joined", "last_login")
    access = {
        "list": IsClientAdmin,
        "retrieve": IsClientAdmin,
        "create": IsClientAdmin,
        "partial_update": IsClientAdmin,
        "destroy": IsClientAdmin,
    }

    def get_queryset(self) -> Any:
        """People with the names of their business and floor."""
        return super().get_queryset().select_related("client", "floor")

    def create_row(self, serializer: Any) -> User:
        """Through the service, which knows what the caller may grant."""
        return services.create_user(by=self.caller, **serializer.validated_data)

    def update_row(self, serializer: Any) -> User:
        """Through the service, which guards the caller's own account and the last admin."""
        return services.update_user(user=serializer.instance, by=self.caller, **serializer.validated_data)

    def delete_row(self, instance: Any) -> None:
        """Through the service, which guards the caller's own account and the last admin."""
        services.delete_user(user=instance, by=self.caller)
