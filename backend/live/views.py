"""The ticket of a dashboard."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from clients.models import Client
from common.api import GuardedAPIView
from common.openapi import writing
from common.permissions import IsFloorUser
from common.serializers import TenantRelatedField, invalid
from common.tenancy import current_scope
from live.tickets import TICKET_LIFETIME_S, issue


class AskTicketSerializer(serializers.Serializer[Any]):
    """Which business is looked at."""

    client: Any = TenantRelatedField(
        queryset=Client._base_manager,
        required=False,
        help_text="Sync2gear's staff must name it; everybody else's is their own.",
    )


class DashboardTicketSerializer(serializers.Serializer[Any]):
    """A single-use ticket: offer the subprotocols `sync2gear.dashboard.v1` and `ticket.<ticket>`."""

    ticket = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds.")


class TicketView(GuardedAPIView):
    """A page trades its access token for a ticket."""

    access = {"post": IsFloorUser}
    works_when_locked = frozenset({"post"})
    repeatable = {"post": "a ticket that was lost on its way expires in a minute"}

    @extend_schema(
        summary="A ticket for the dashboard's socket",
        description="For `ws/dashboard/`. Valid once, for 60 s. What the socket tells is what its person may see.",
        request=AskTicketSerializer,
        responses={201: DashboardTicketSerializer, **writing()},
    )
    def post(self, request: Request) -> Response:
        """A ticket for one connection."""
        body = AskTicketSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        named = body.validated_data.get("client")
        client = named.pk if named is not None else current_scope().client_id
        if client is None:
            raise invalid("client", "required", "Name the client that you act for.")
        token: Any = request.auth
        answer = {"ticket": issue(claims=token.payload, client=client), "expires_in": TICKET_LIFETIME_S}
        return Response(answer, status=status.HTTP_201_CREATED)
