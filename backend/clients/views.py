"""`/api/business/`: the caller's own business and its settings. `/api/clients/`: all of them, kept by staff."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from clients import deletion, services
from clients.filters import ClientFilters
from clients.models import Client
from clients.selectors import locked_for_update, with_counts
from clients.serializers import (
    BusinessSerializer,
    ClientSerializer,
    ConfirmationSerializer,
    DeletionSerializer,
    TrialExtensionSerializer,
)
from common import clock
from common.api import CrudViewSet, GuardedAPIView
from common.conditional import etag_of, require_match, shown
from common.errors import Refusal
from common.openapi import BODY, SIGNED_IN, problems, reading, writing
from common.permissions import IsClientAdmin, IsFloorUser, IsSuperAdmin

CHANGING = problems(*BODY, *SIGNED_IN, "not_found", "client_deleting")
"""What a change of a business by staff may be refused with: no lock but that of its deletion holds for them."""


class BusinessView(GuardedAPIView):
    """The business to which the caller belongs."""

    access = {"get": IsFloorUser, "patch": IsClientAdmin}
    conditional = frozenset({"get", "patch"})

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
        return shown(request, BusinessSerializer(self._own()))

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
        with transaction.atomic():
            client = locked_for_update(self._own().pk)
            require_match(request, BusinessSerializer(client))
            body = BusinessSerializer(client, data=request.data, partial=True)
            body.is_valid(raise_exception=True)
            changed = services.set_up_business(client=client, **body.validated_data)
        response = Response(BusinessSerializer(changed).data)
        response["ETag"] = etag_of(BusinessSerializer(changed))
        return response


@extend_schema_view(
    list=extend_schema(
        summary="List businesses",
        description="For sync2gear's staff, as all of `/api/clients/`. `search` looks into both names, address and"
        " telephone.",
        responses={200: ClientSerializer(many=True), **reading("validation_failed")},
    ),
    retrieve=extend_schema(
        summary="Read a business",
        description="With how many floors, speakers and people it has, and how many speakers are online.",
        responses={200: ClientSerializer, **reading()},
    ),
    create=extend_schema(
        summary="Make a business",
        description="On trial for `trial_days` from now, unless `status` or `trial_ends_at` say otherwise. It has no"
        " people and no floors yet.",
        responses={201: ClientSerializer, **problems(*BODY, *SIGNED_IN)},
    ),
    partial_update=extend_schema(
        summary="Change a business",
        description="`status` locks and opens it: its speakers go silent or sound again at once. Setting it to `trial`"
        " needs a `trial_ends_at` to come; a running trial is moved by `extend-trial/`.",
        responses={200: ClientSerializer, **CHANGING},
    ),
    destroy=extend_schema(
        summary="Ask for a business to be deleted",
        description="The first of two steps. Its speakers go silent and its people cannot sign in; nothing is removed"
        " before `confirm-deletion/`, and until then `cancel-deletion/` undoes it.",
        responses={202: DeletionSerializer, **reading()},
    ),
)
@extend_schema(tags=["clients"])
class ClientViewSet(CrudViewSet):
    """All businesses, for sync2gear's staff."""

    model = Client
    serializer_class = ClientSerializer
    filterset_class = ClientFilters
    search_fields = ("name", "business_name", "email", "telephone")
    ordering_fields = (
        "name",
        "business_name",
        "email",
        "status",
        "trial_ends_at",
        "ai_credits",
        "subscription_price",
        "floors_count",
        "devices_count",
        "devices_online",
        "users_count",
        "created_at",
        "updated_at",
    )
    access = {
        "list": IsSuperAdmin,
        "retrieve": IsSuperAdmin,
        "create": IsSuperAdmin,
        "partial_update": IsSuperAdmin,
        "destroy": IsSuperAdmin,
        "extend_trial": IsSuperAdmin,
        "confirm_deletion": IsSuperAdmin,
        "cancel_deletion": IsSuperAdmin,
    }

    def get_queryset(self) -> Any:
        """Businesses with their counts."""
        return with_counts(super().get_queryset(), now=clock.now())

    def create_row(self, serializer: Any) -> Client:
        """Through the service, which begins the trial."""
        return services.create_client(now=clock.now(), **serializer.validated_data)

    def update_row(self, serializer: Any) -> Client:
        """Through the service, which keeps status, trial and subscription together."""
        return services.update_client(
            client=serializer.instance, now=clock.now(), **serializer.validated_data
        )

    @extend_schema(
        summary="Extend a trial",
        description="By so many days from its end; one that has run out runs them from now, and the business is open"
        " again.",
        request=TrialExtensionSerializer,
        responses={
            200: ClientSerializer,
            **problems(*BODY, *SIGNED_IN, "not_found", "client_deleting", "not_on_trial"),
        },
    )
    @action(detail=True, methods=["post"], url_path="extend-trial")
    def extend_trial(self, request: Request, pk: str | None = None) -> Response:
        """200 with the business."""
        client = self.get_object()
        body = TrialExtensionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        changed = services.extend_trial(client=client, now=clock.now(), **body.validated_data)
        return Response(self.represent(self.visible_again(changed)))

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """202 with what to do next."""
        with transaction.atomic():
            asked = deletion.request_deletion(client=self.matched_object(), now=clock.now())
        return Response(DeletionSerializer(asked).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Confirm that a business is deleted",
        description="The second step, which cannot be undone: its sounds, records and people are removed by a job, and"
        " then itself. The audit trail stays.",
        request=ConfirmationSerializer,
        responses={
            202: DeletionSerializer,
            **problems(*BODY, *SIGNED_IN, "not_found", "deletion_not_requested"),
        },
    )
    @action(detail=True, methods=["post"], url_path="confirm-deletion")
    def confirm_deletion(self, request: Request, pk: str | None = None) -> Response:
        """202 while the job works."""
        client = self.get_object()
        body = ConfirmationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        confirmed = deletion.confirm_deletion(client=client, now=clock.now(), **body.validated_data)
        return Response(DeletionSerializer(confirmed).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Call off the deletion of a business",
        description="As long as it is not confirmed. The business is open again as far as its status lets it be.",
        request=None,
        responses={
            200: ClientSerializer,
            **problems(*SIGNED_IN, "not_found", "client_deleting", "deletion_not_requested"),
        },
    )
    @action(detail=True, methods=["post"], url_path="cancel-deletion")
    def cancel_deletion(self, request: Request, pk: str | None = None) -> Response:
        """200 with the business."""
        kept = deletion.cancel_deletion(client=self.get_object())
        return Response(self.represent(self.visible_again(kept)))
