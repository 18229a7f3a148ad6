"""Speakers on the API, for people."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from common import clock
from common.api import CrudViewSet, TenantViewSet
from common.openapi import reading, writing
from common.permissions import IsClientAdmin, IsFloorUser
from common.serializers import invalid
from common.throttling import spend
from devices import services
from devices.desired import desired_of
from devices.filters import DeviceFilter
from devices.models import Device
from devices.serializers import (
    ClaimSerializer,
    CommandSerializer,
    ControlSerializer,
    DeviceSerializer,
    DeviceStatusSerializer,
    NewDeviceSerializer,
    TestToneSerializer,
    TokenSerializer,
    VolumeSerializer,
)
from zones.models import Floor

SEARCH = ["name", "device_id", "floor__name"]
ORDERING = ["name", "created_at", "last_seen", "volume", "floor__name"]


@extend_schema_view(
    list=extend_schema(summary="List speakers", responses={200: DeviceSerializer(many=True), **reading()}),
    retrieve=extend_schema(summary="One speaker", responses={200: DeviceSerializer, **reading()}),
    create=extend_schema(
        summary="Register a speaker by hand",
        description="Answers with the device's token, which is shown this once.",
        responses={201: NewDeviceSerializer, **writing("conflict")},
    ),
    partial_update=extend_schema(
        summary="Rename, move or set a speaker", responses={200: DeviceSerializer, **writing("conflict")}
    ),
    destroy=extend_schema(
        summary="Remove a speaker",
        description="Its socket is closed; its play history stays.",
        responses={204: None, **writing()},
    ),
)
class DeviceViewSet(CrudViewSet):
    """The speakers of a business."""

    model = Device
    serializer_class = DeviceSerializer
    filterset_class = DeviceFilter
    search_fields = SEARCH
    ordering_fields = ORDERING
    access = {
        "list": IsFloorUser,
        "retrieve": IsFloorUser,
        "create": IsClientAdmin,
        "partial_update": IsClientAdmin,
        "destroy": IsClientAdmin,
        "claim": IsClientAdmin,
        "rotate_token": IsClientAdmin,
        "revoke_token": IsClientAdmin,
        "control": IsFloorUser,
        "volume": IsFloorUser,
        "test_tone": IsFloorUser,
        "status": IsFloorUser,
    }

    def get_queryset(self) -> Any:
        """The caller's devices with what their representation needs."""
        return Device.objects.select_related("floor", "client")

    def create_row(self, serializer: Any) -> Device:
        """Makes the device; its token goes out with the answer to this request only."""
        device, self.new_token = services.create_device(**serializer.validated_data)
        return device

    def update_row(self, serializer: Any) -> Device:
        """Changes the device and tells it what concerns it."""
        return services.change_device(device=serializer.instance, values=serializer.validated_data)

    def delete_row(self, instance: Device) -> None:
        """Removes the device and closes its socket."""
        services.delete_device(device=instance)

    def represent(self, instance: Device) -> Any:
        """The device; right after its creation, with its token."""
        shown = super().represent(instance)
        return shown | {"token": self.new_token} if self.action == "create" else shown

    @extend_schema(
        summary="Claim a speaker by the code it shows",
        request=ClaimSerializer,
        responses={201: DeviceSerializer, **writing("unknown_code", "conflict", "rate_limited")},
    )
    @action(detail=False, methods=["post"])
    def claim(self, request: Request) -> Response:
        """Binds a waiting speaker to the caller's business."""
        spend("claim.user", str(request.user.pk), now=clock.now())
        body = ClaimSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        floor: Floor | None = body.validated_data.get("floor")
        own: Any = getattr(request.user, "client", None)
        client = floor.client if floor is not None else own
        if client is None:
            raise invalid("floor", "required", "Name the floor where the speaker hangs.")
        device = services.claim_device(
            client=client,
            code=body.validated_data["user_code"],
            name=body.validated_data["name"],
            floor=floor,
            now=clock.now(),
        )
        return Response(self.represent(self.visible_again(device)), status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Issue a new token",
        description="The old token works until the new one is first used. The token is shown this once.",
        request=None,
        responses={200: TokenSerializer, **writing()},
    )
    @action(detail=True, methods=["post"], url_path="rotate-token")
    def rotate_token(self, request: Request, pk: str) -> Response:
        """A new token for the device."""
        return Response({"token": services.rotate_token(device=self.get_object())})

    @extend_schema(
        summary="Revoke the token",
        description="Closes the live socket. `rotate-token` lets the speaker in again.",
        request=None,
        responses={200: DeviceSerializer, **writing()},
    )
    @action(detail=True, methods=["post"], url_path="revoke-token")
    def revoke_token(self, request: Request, pk: str) -> Response:
        """Shuts the device out."""
        device = services.revoke_token(device=self.get_object(), now=clock.now())
        return Response(self.represent(device))

    @extend_schema(
        summary="Set volume or mute",
        description="State, not a command: an offline speaker applies it when it is back.",
        request=VolumeSerializer,
        responses={200: DeviceSerializer, **writing()},
    )
    @action(detail=True, methods=["post"])
    def volume(self, request: Request, pk: str) -> Response:
        """Sets the desired volume."""
        body = VolumeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        device = services.set_volume(
            device=self.get_object(),
            volume=body.validated_data.get("volume"),
            muted=body.validated_data.get("muted"),
        )
        return Response(self.represent(device))

    @extend_schema(
        summary="Command a speaker",
        description="Carried out once, within ten seconds; refused while the speaker is offline.",
        request=ControlSerializer,
        responses={202: CommandSerializer, **writing("device_offline", "conflict")},
    )
    @action(detail=True, methods=["post"])
    def control(self, request: Request, pk: str) -> Response:
        """Sends a command."""
        body = ControlSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        command_id = services.control(
            device=self.get_object(), action=body.validated_data["action"], now=clock.now()
        )
        return Response({"command_id": command_id}, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Sound a test tone",
        request=TestToneSerializer,
        responses={202: CommandSerializer, **writing("device_offline", "conflict")},
    )
    @action(detail=True, methods=["post"], url_path="test-tone")
    def test_tone(self, request: Request, pk: str) -> Response:
        """Sounds a sine on the device."""
        body = TestToneSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        command_id = services.test_tone(device=self.get_object(), now=clock.now(), **body.validated_data)
        return Response({"command_id": command_id}, status=status.HTTP_202_ACCEPTED)

    @extend_schema(summary="Desired beside reported", responses={200: DeviceStatusSerializer, **reading()})
    @action(detail=True, methods=["get"])
    def status(self, request: Request, pk: str) -> Response:
        """How the device is, and how it should be."""
        return Response(DeviceStatusSerializer(status_of(self.get_object())).data)


def status_of(device: Device) -> dict[str, Any]:
    """Desired and reported state of one device, as `DeviceStatusSerializer` shows it."""
    now = clock.now()
    desired = desired_of(device, now)
    return {
        "id": device.pk,
        "device_id": device.device_id,
        "status": Device.Status.ONLINE if device.is_online(now) else Device.Status.OFFLINE,
        "last_seen": device.last_seen,
        "desired": desired,
        "applied_rev": device.applied_rev,
        "in_sync": device.applied_rev >= device.desired_rev,
        "reported": device.reported,
        "software": device.software,
        "capabilities": device.capabilities,
        "protocol": "plain" if device.plain else "v1",
    }


@extend_schema_view(
    list=extend_schema(
        summary="The speakers of a floor",
        parameters=[OpenApiParameter("floor_id", int, OpenApiParameter.PATH)],
        responses={200: DeviceSerializer(many=True), **reading()},
    )
)
class FloorDevicesViewSet(ListModelMixin, TenantViewSet):
    """The speakers that hang on one floor."""

    model = Device
    serializer_class = DeviceSerializer
    filterset_class = DeviceFilter
    search_fields = SEARCH
    ordering_fields = ORDERING
    access: ClassVar[dict[str, Any]] = {"list": IsFloorUser}

    def get_queryset(self) -> Any:
        """The floor's devices."""
        return Device.objects.select_related("floor", "client").filter(
            floor_id=self.kwargs.get("floor_id", 0)
        )

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A page of them; 404 when the caller does not see the floor."""
        if not Floor.objects.filter(pk=kwargs["floor_id"]).exists():
            raise Http404
        return super().list(request, *args, **kwargs)
