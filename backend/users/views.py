"""`/api/users/`: the accounts of a business, kept by its admins."""

from __future__ import annotations

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from common import clock
from common.api import CrudViewSet
from common.filters import TenantFilterSet
from common.openapi import LOCKED, problems, reading, writing
from common.permissions import IsClientAdmin
from common.throttling import spend
from users import services
from users.auth_views import validated
from users.avatars import remove_avatar, set_avatar
from users.invitations import invite
from users.models import User
from users.pictures import PICTURE_PROBLEMS
from users.selectors import with_status
from users.serializers import PictureSerializer, SentSerializer, UserSerializer
from users.sessions import end_all


class UserFilters(TenantFilterSet):
    """`?role=floor_user&floor=3&is_active=true&status=invited`."""

    floor = filters.NumberFilter(field_name="floor_id", label="Id of the floor.")
    status = filters.ChoiceFilter(choices=User.Status.choices, method="having_status")

    class Meta:
        model = User
        fields = ["client", "role", "floor", "is_active", "status"]

    def having_status(self, people: Any, name: str, value: str) -> Any:
        """Those whose account stands so."""
        return with_status(people, value)


@extend_schema_view(
    list=extend_schema(
        summary="List accounts", responses={200: UserSerializer(many=True), **reading("validation_failed")}
    ),
    retrieve=extend_schema(summary="Read an account", responses={200: UserSerializer, **reading()}),
    create=extend_schema(
        summary="Make an account",
        description=(
            "A floor user needs a floor, nobody else has one. Staff may make staff, who have no client. Without a"
            " `password` the person gets a mail with a link to choose one, and is `invited` until then."
        ),
        responses={201: UserSerializer, **writing("impersonating", "rate_limited")},
    ),
    partial_update=extend_schema(
        summary="Change an account",
        description=(
            "Nobody changes their own role, floor, password or activity here. A change of role, floor, password or"
            " activity ends the person's sessions. Who is still invited gets a new invitation at a new address."
        ),
        responses={
            200: UserSerializer,
            **writing("own_account", "last_admin", "impersonating", "rate_limited"),
        },
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
        "invite": IsClientAdmin,
        "end_sessions": IsClientAdmin,
        "set_avatar": IsClientAdmin,
        "remove_avatar": IsClientAdmin,
    }

    def get_queryset(self) -> Any:
        """People with the names of their business and floor."""
        return super().get_queryset().select_related("client", "floor")

    def create_row(self, serializer: Any) -> User:
        """Through the service, which knows what the caller may grant."""
        given = serializer.validated_data
        if "password" not in given:
            self._spend_invitation(given["client"])
        return services.create_user(by=self.caller, **given)

    def update_row(self, serializer: Any) -> User:
        """Through the service, which guards the caller's own account and the last admin."""
        user = serializer.instance
        if user.status == User.Status.INVITED:
            self._spend_invitation(user.client)
        return services.update_user(user=user, by=self.caller, **serializer.validated_data)

    def delete_row(self, instance: Any) -> None:
        """Through the service, which guards the caller's own account and the last admin."""
        services.delete_user(user=instance, by=self.caller)

    @extend_schema(
        summary="Invite somebody again",
        description="Sends a new link to choose a password; the one before opens nothing any more.",
        request=None,
        responses={202: SentSerializer, **writing("not_invited", "rate_limited")},
    )
    @action(detail=True, methods=["post"], filter_backends=[])
    def invite(self, request: Request, pk: str) -> Response:
        """202."""
        user = self.get_object()
        self._spend_invitation(user.client)
        invite(user=user)
        sent = {"detail": f"An invitation is on its way to {user.email}."}
        return Response(sent, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Sign somebody out everywhere",
        description="Ends every session of this person at once. They may sign in again: to shut them out, switch the"
        " account off.",
        request=None,
        responses={204: None, **writing()},
    )
    @action(detail=True, methods=["post"], url_path="end-sessions", filter_backends=[])
    def end_sessions(self, request: Request, pk: str) -> Response:
        """204."""
        end_all(user=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Set somebody's picture",
        description="A square picture in place of the one before.",
        request={"multipart/form-data": PictureSerializer},
        responses={
            200: UserSerializer,
            **writing(*PICTURE_PROBLEMS, "rate_limited", "unsupported_media_type"),
        },
    )
    @action(
        detail=True, methods=["put"], url_path="avatar", parser_classes=[MultiPartParser], filter_backends=[]
    )
    def set_avatar(self, request: Request, pk: str) -> Response:
        """200 with the account."""
        user = self.get_object()
        spend("avatar.user", str(self.caller.pk), now=clock.now())
        set_avatar(user=user, upload=validated(PictureSerializer(data=request.data))["file"])
        return Response(self.represent(self.visible_again(user)))

    @extend_schema(
        summary="Remove somebody's picture",
        description="Doing it twice is no error.",
        responses={204: None, **reading(), **problems(*LOCKED)},
    )
    @set_avatar.mapping.delete
    def remove_avatar(self, request: Request, pk: str) -> Response:
        """204."""
        remove_avatar(user=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _spend_invitation(self, client: Any) -> None:
        """Nobody makes us mail the whole world: each business has so many invitations an hour."""
        spend("invite.client", str(client.pk) if client else "staff", now=clock.now())
