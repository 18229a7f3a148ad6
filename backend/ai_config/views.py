"""`/api/ai-providers/`: the accounts that speak and write, kept by sync2gear's staff."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from ai_config import services
from ai_config.models import AIProvider, AIUsage
from ai_config.serializers import (
    ProviderSerializer,
    TrialAskedSerializer,
    TrialSerializer,
    UsageSerializer,
)
from common import clock
from common.api import CrudViewSet
from common.openapi import BODY, SIGNED_IN, problems, reading
from common.permissions import IsSuperAdmin
from common.serializers import invalid
from common.throttling import spend

CHANGING = problems(*BODY, *SIGNED_IN, "not_found")


class ProviderFilter(filters.FilterSet):
    """`?provider=openai&is_active=true`."""

    class Meta:
        model = AIProvider
        fields = ["provider", "is_active"]


@extend_schema_view(
    list=extend_schema(
        summary="List AI providers",
        description="In the order in which they are tried.",
        responses={200: ProviderSerializer(many=True), **reading("validation_failed")},
    ),
    retrieve=extend_schema(summary="An AI provider", responses={200: ProviderSerializer, **reading()}),
    create=extend_schema(
        summary="Add an account at an AI provider",
        responses={201: ProviderSerializer, **problems(*BODY, *SIGNED_IN)},
    ),
    partial_update=extend_schema(
        summary="Change an account at an AI provider",
        description=(
            "Another key, address, model or voice ends a rest: the account is asked again at once. Its provider is"
            " fixed."
        ),
        responses={200: ProviderSerializer, **CHANGING},
    ),
    destroy=extend_schema(
        summary="Remove an account",
        description="What it was used for stays on record.",
        responses={204: None, **reading()},
    ),
)
@extend_schema(tags=["ai-providers"])
class ProviderViewSet(CrudViewSet):
    """Accounts at AI providers."""

    model = AIProvider
    serializer_class = ProviderSerializer
    filterset_class = ProviderFilter
    search_fields = ("name",)
    ordering_fields = ("order", "name", "provider", "is_active", "last_used", "created_at")
    lookup_value_regex = "[0-9]+"
    access = {
        "list": IsSuperAdmin,
        "retrieve": IsSuperAdmin,
        "create": IsSuperAdmin,
        "partial_update": IsSuperAdmin,
        "destroy": IsSuperAdmin,
        "toggle": IsSuperAdmin,
        "test": IsSuperAdmin,
        "usage": IsSuperAdmin,
    }

    def get_queryset(self) -> Any:
        """All of them, their keys unread."""
        return super().get_queryset().defer("api_key")

    def create_row(self, serializer: Any) -> AIProvider:
        """Through the service."""
        return services.create_provider(fields=serializer.validated_data)

    def update_row(self, serializer: Any) -> AIProvider:
        """Through the service, which writes only what was named."""
        return services.update_provider(provider=serializer.instance, changes=serializer.validated_data)

    @extend_schema(
        summary="Switch an AI provider off or on",
        request=None,
        responses={200: ProviderSerializer, **reading()},
    )
    @action(detail=True, methods=["post"])
    def toggle(self, request: Request, pk: str) -> Response:
        """200 with the account."""
        provider = services.toggle_provider(provider=self.get_object())
        return Response(self.represent(self.visible_again(provider)))

    @extend_schema(
        summary="Try an AI provider",
        description=(
            "One tiny real call, also to an account that is switched off or resting; it counts and costs like any"
            " other. A failure of the provider is a 200 with its `code`."
        ),
        request=TrialAskedSerializer,
        responses={200: TrialSerializer, **CHANGING, **problems("rate_limited")},
    )
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """200 with what happened."""
        provider: AIProvider = self.get_object()
        form = TrialAskedSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        kinds = provider.entry.kinds
        kind = form.validated_data.get("kind", kinds[0])
        if kind not in kinds:
            raise invalid("kind", "not_served", f"This provider serves {' and '.join(kinds)} only.")
        spend("provider_test.user", str(self.caller.pk), now=clock.now())
        trial = services.try_provider(provider=provider, kind=kind)
        return Response(TrialSerializer(asdict(trial)).data)

    @extend_schema(
        summary="What an AI provider was used for",
        description="A row for each UTC day and business, the latest day first.",
        filters=False,
        responses={200: UsageSerializer(many=True), **reading()},
    )
    @action(detail=True, methods=["get"], filter_backends=[])
    def usage(self, request: Request, pk: str) -> Response:
        """A page of days."""
        rows = AIUsage.objects.filter(provider_id=self.get_object().pk).select_related("client")
        page: Any = self.paginate_queryset(rows)
        return self.get_paginated_response(UsageSerializer(page, many=True).data)
