"""`/api/webhooks/`: where a business wants to be told, and what became of what it was told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common import clock
from common.api import CrudViewSet, ListMixin, TenantViewSet
from common.errors import Refusal
from common.openapi import reading, writing
from common.pagination import CursorPages
from common.permissions import IsClientAdmin
from common.throttling import spend
from webhooks import services
from webhooks.filters import WebhookDeliveryFilter, WebhookFilter
from webhooks.models import Webhook, WebhookDelivery
from webhooks.serializers import (
    NewWebhookSerializer,
    SecretSerializer,
    WebhookDeliverySerializer,
    WebhookSerializer,
)


@extend_schema_view(
    list=extend_schema(
        summary="List webhooks", responses={200: WebhookSerializer(many=True), **reading("validation_failed")}
    ),
    retrieve=extend_schema(summary="One webhook", responses={200: WebhookSerializer, **reading()}),
    create=extend_schema(
        summary="Make a webhook",
        description=(
            "Answers with its secret, which is shown this once. Messages follow Standard Webhooks; docs/webhooks.md"
            " says how to check them. Targets that are not on the public internet are refused."
        ),
        request=WebhookSerializer,
        responses={201: NewWebhookSerializer, **writing("target_refused", "webhook_limit", "rate_limited")},
    ),
    partial_update=extend_schema(
        summary="Change a webhook",
        description="`is_active: true` also brings one back that was switched off for its failures.",
        responses={200: WebhookSerializer, **writing("target_refused", "rate_limited")},
    ),
    destroy=extend_schema(
        summary="Delete a webhook",
        description="With its deliveries; what waits to be sent is not sent.",
        responses={204: None, **writing()},
    ),
)
@extend_schema(tags=["webhooks"])
class WebhookViewSet(CrudViewSet):
    """The webhooks of a business, for its admins."""

    model = Webhook
    serializer_class = WebhookSerializer
    filterset_class = WebhookFilter
    search_fields = ("url", "description")
    ordering_fields = ("created_at", "url")
    access = {
        "list": IsClientAdmin,
        "retrieve": IsClientAdmin,
        "create": IsClientAdmin,
        "partial_update": IsClientAdmin,
        "destroy": IsClientAdmin,
        "rotate_secret": IsClientAdmin,
        "test": IsClientAdmin,
    }

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Looks at the target, then makes the webhook."""
        self._look_at_target(request.data)
        return super().create(request, *args, **kwargs)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Looks at a new target, then changes the webhook."""
        self._look_at_target(request.data)
        return super().partial_update(request, *args, **kwargs)

    def _look_at_target(self, body: Any) -> None:
        """Before the transaction begins: its name is looked up while the caller waits, and nobody else should."""
        url = body.get("url") if isinstance(body, Mapping) else None
        if isinstance(url, str):
            spend("webhook.target", str(self.caller.pk), now=clock.now())
            services.refuse_target(url)

    def create_row(self, serializer: Any) -> Webhook:
        """Through the service, which counts them."""
        return services.create_webhook(**serializer.validated_data)

    def update_row(self, serializer: Any) -> Webhook:
        """Through the service."""
        return services.update_webhook(webhook=serializer.instance, **serializer.validated_data)

    def delete_row(self, instance: Webhook) -> None:
        """Through the service."""
        services.delete_webhook(webhook=instance)

    def represent(self, instance: Webhook) -> Any:
        """The webhook; right after its creation, with its secret."""
        shown = NewWebhookSerializer if self.action == "create" else WebhookSerializer
        return shown(instance, context=self.get_serializer_context()).data

    @extend_schema(
        summary="Issue a new secret",
        description="Shown this once. For 24 hours messages carry two signatures, of the new and of the old secret.",
        request=None,
        responses={200: SecretSerializer, **writing()},
    )
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate_secret(self, request: Request, pk: str) -> Response:
        """A new secret for the webhook."""
        webhook = services.rotate_secret(webhook=self.get_object(), now=clock.now())
        return Response(SecretSerializer(webhook).data)

    @extend_schema(
        summary="Send a test",
        description=(
            "Sends a `webhook.test` at once, also to one that is switched off, and answers with what the target said"
            " within ten seconds. The outcome is in `status` and `error_code`, not in the HTTP status of this answer."
        ),
        request=None,
        responses={200: WebhookDeliverySerializer, **writing("rate_limited")},
    )
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Tries it."""
        webhook = self.get_object()
        spend("webhook.test", str(webhook.client_id), now=clock.now())
        delivery = services.send_test(webhook=webhook, now=clock.now())
        return Response(WebhookDeliverySerializer(delivery).data)


OF_WEBHOOK = OpenApiParameter("webhook_id", int, OpenApiParameter.PATH)


@extend_schema_view(
    list=extend_schema(
        operation_id="webhooks_deliveries_list",
        summary="What was sent, and what became of it",
        description="The newest first; kept for 14 days, unless the operator has chosen another time.",
        parameters=[OF_WEBHOOK],
        responses={
            200: WebhookDeliverySerializer(many=True),
            **reading("validation_failed", "bad_cursor"),
        },
    ),
)
@extend_schema(tags=["webhooks"])
class WebhookDeliveryViewSet(ListMixin, TenantViewSet):
    """The deliveries of one webhook."""

    model = WebhookDelivery
    serializer_class = WebhookDeliverySerializer
    pagination_class = CursorPages
    filterset_class = WebhookDeliveryFilter
    ordering_fields = ("created_at",)
    access: ClassVar[dict[str, Any]] = {"list": IsClientAdmin, "redeliver": IsClientAdmin}

    def get_queryset(self) -> Any:
        """The webhook's deliveries."""
        return WebhookDelivery.objects.filter(webhook_id=self.kwargs.get("webhook_id", 0))

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A page of them; 404 when the caller does not see the webhook."""
        if not Webhook.objects.filter(pk=kwargs["webhook_id"]).exists():
            raise Refusal("not_found", "There is no such webhook.")
        return super().list(request, *args, **kwargs)

    @extend_schema(
        operation_id="webhooks_redeliver",
        summary="Send a message again",
        description="Once, soon, under its own `webhook-id`.",
        parameters=[OF_WEBHOOK],
        request=None,
        responses={
            202: WebhookDeliverySerializer,
            **writing("webhook_off", "already_pending", "rate_limited"),
        },
    )
    def redeliver(self, request: Request, webhook_id: int, pk: int) -> Response:
        """Asks for one more attempt."""
        delivery = self.get_object()
        spend("webhook.redeliver", str(delivery.client_id), now=clock.now())
        row = services.redeliver(delivery=delivery, now=clock.now())
        return Response(self.get_serializer(row).data, status=202)
