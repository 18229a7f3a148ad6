"""`/api/floors/`: the floors of a business."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view

from common import clock
from common.api import CrudViewSet
from common.filters import TenantFilterSet
from common.openapi import reading, writing
from common.permissions import IsClientAdmin, IsFloorUser
from zones import services
from zones.models import Floor
from zones.selectors import with_device_counts
from zones.serializers import FloorSerializer


class FloorFilters(TenantFilterSet):
    """`?is_premium=false`."""

    class Meta:
        model = Floor
        fields = ["client", "is_premium"]


@extend_schema_view(
    list=extend_schema(
        summary="List floors", responses={200: FloorSerializer(many=True), **reading("validation_failed")}
    ),
    retrieve=extend_schema(summary="Read a floor", responses={200: FloorSerializer, **reading()}),
    create=extend_schema(
        summary="Make a floor",
        description="As many as the plan allows; the first one is free.",
        responses={201: FloorSerializer, **writing("floor_limit")},
    ),
    partial_update=extend_schema(
        summary="Change a floor", responses={200: FloorSerializer, **writing("conflict")}
    ),
    destroy=extend_schema(
        summary="Delete a floor",
        description="Its devices and floor users stay, without a floor.",
        responses={204: None, **writing()},
    ),
)
@extend_schema(tags=["floors"])
class FloorViewSet(CrudViewSet):
    """Staff see all floors, a client admin the business's, a floor user their own."""

    model = Floor
    serializer_class = FloorSerializer
    filterset_class = FloorFilters
    search_fields = ("name", "description")
    ordering_fields = ("name", "created_at", "devices_count", "devices_online")
    access = {
        "list": IsFloorUser,
        "retrieve": IsFloorUser,
        "create": IsClientAdmin,
        "partial_update": IsClientAdmin,
        "destroy": IsClientAdmin,
    }

    def get_queryset(self) -> Any:
        """Floors with their counts of devices and what names them."""
        floors = super().get_queryset().select_related("client", "created_by")
        return with_device_counts(floors, now=clock.now())

    def create_row(self, serializer: Any) -> Floor:
        """Through the service, which counts the plan's floors."""
        return services.create_floor(by=self.caller, **serializer.validated_data)

    def update_row(self, serializer: Any) -> Floor:
        """Through the service, which holds volumes and quiet hours together."""
        return services.update_floor(floor=serializer.instance, **serializer.validated_data)

    def delete_row(self, instance: Any) -> None:
        """Through the service, which passes the free floor on."""
        services.delete_floor(floor=instance)
