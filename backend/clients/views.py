"""`/api/business/`: the caller's own business and its settings."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from clients import services
from clients.models import Client
from clients.serializers import BusinessSerializer
from common.api import GuardedAPIView
from common.errors import Refusal
from common.openapi import reading, writing
from common.permissions import IsClientAdmin, IsFloorUser


class BusinessView(GuardedAPIView):
    """The business to which the caller belongs."""

    access = {"get": IsFloorUser, "patch": IsClientAdmin}

    def _own(self) -> Client:
        client: Client | None = self.caller.client
        if client is None:
            raise Refusal("not_found", "Sync2gear's staff belong to no business.")
        return client

    @extend_schema(
        operation_id="business_retrieve",
        tags=["business"],
        summary="One's own business",
        responses={200: BusinessSerializer, **reading()},
    )
    def get(self, request: Request) -> Response:
        """Its settings, its plan and what is left."""
        return Response(BusinessSerializer(self._own()).data)

    @extend_schema(
        operation_id="business_partial_update",
        tags=["business"],
        summary="Set up one's own business",
        description="The time zone and the least gap hold for all floors and schedules from the next minutes on.",
        request=BusinessSerializer,
        responses={200: BusinessSerializer, **writing()},
    )
    def patch(self, request: Request) -> Response:
        """Changes its settings."""
        client = self._own()
        body = BusinessSerializer(client, data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        changed = services.set_up_business(client=client, **body.validated_data)
        return Response(BusinessSerializer(changed).data)
