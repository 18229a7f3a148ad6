"""What a speaker itself calls: pairing, its own identity, tickets for browsers."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from common import clock
from common.api import GuardedAPIView
from common.context import current_actor
from common.openapi import problems
from common.permissions import IsAnybody, IsDevice
from common.throttling import caller_address, spend
from devices import services
from devices.authentication import DeviceAuthentication
from devices.credentials import TICKET_LIFETIME_S, issue_ticket
from devices.models import Device
from devices.serializers import (
    DeviceSelfSerializer,
    PairedSerializer,
    PollPairingSerializer,
    StartedPairingSerializer,
    StartPairingSerializer,
    TicketSerializer,
)


def identity_of(device: Device) -> dict[str, Any]:
    """Where a device connects, what it is called, and where it stands."""
    return {
        "id": device.pk,
        "device_id": device.device_id,
        "name": device.name,
        "business": device.client.business_name,
        "floor": device.floor.name if device.floor is not None else "",
        "ws_path": f"/ws/devices/{device.device_id}/",
        "plan_url": f"/api/devices/{device.pk}/plan/",
    }


class PairView(GuardedAPIView):
    """A new speaker asks for a code."""

    authentication_classes: tuple[Any, ...] = ()
    access = {"post": IsAnybody}
    repeatable = {"post": "a second code does no harm: what nobody enters expires in ten minutes"}

    @extend_schema(
        summary="Start pairing a speaker",
        description="RFC 8628 §3.1. Show `user_code`; a client admin enters it at `/api/devices/claim/`.",
        request=StartPairingSerializer,
        responses={
            201: StartedPairingSerializer,
            **problems("validation_failed", "malformed", "rate_limited"),
        },
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """A code that lives ten minutes."""
        spend("pair.address", caller_address(), now=clock.now())
        body = StartPairingSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        started = services.start_pairing(
            ip_address=current_actor().ip_address, now=clock.now(), **body.validated_data
        )
        answer = {
            "device_code": started.device_code,
            "user_code": started.user_code,
            "verification_uri": request.build_absolute_uri("/api/devices/claim/"),
            "expires_in": started.expires_in_s,
            "interval": started.interval_s,
        }
        return Response(answer, status=status.HTTP_201_CREATED)


class PairTokenView(GuardedAPIView):
    """A new speaker asks whether its code was entered."""

    authentication_classes: tuple[Any, ...] = ()
    access = {"post": IsAnybody}
    repeatable = {"post": "it asks; only the first answer hands the token out"}

    @extend_schema(
        summary="Fetch the token of a claimed speaker",
        description="RFC 8628 §3.4 and §3.5. The token is handed out once.",
        request=PollPairingSerializer,
        responses={
            200: PairedSerializer,
            **problems(
                "authorization_pending",
                "slow_down",
                "expired_token",
                "access_denied",
                "validation_failed",
                "malformed",
            ),
        },
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """The token, once somebody has entered the code."""
        body = PollPairingSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        device, token = services.poll_pairing(now=clock.now(), **body.validated_data)
        return Response(identity_of(device) | {"token": token})


class DeviceSelfView(GuardedAPIView):
    """A speaker that has only its token."""

    authentication_classes = (DeviceAuthentication,)
    access = {"get": IsDevice}

    @extend_schema(
        summary="Who am I?",
        description="For a speaker with its token: where it connects.",
        responses={200: DeviceSelfSerializer, **problems("not_authenticated", "token_invalid")},
    )
    def get(self, request: Request) -> Response:
        """The identity of the calling device."""
        caller: Any = request.user
        return Response(identity_of(caller.device))


class TicketView(GuardedAPIView):
    """A browser speaker trades its token for a ticket."""

    authentication_classes = (DeviceAuthentication,)
    access = {"post": IsDevice}
    repeatable = {"post": "a ticket that was lost on its way expires in a minute"}

    @extend_schema(
        summary="A ticket for one socket",
        description="For browsers, which cannot set headers on a WebSocket. Valid once, for 60 s.",
        request=None,
        responses={201: TicketSerializer, **problems("not_authenticated", "token_invalid")},
    )
    def post(self, request: Request) -> Response:
        """A single-use ticket."""
        caller: Any = request.user
        answer = {"ticket": issue_ticket(caller.device), "expires_in": TICKET_LIFETIME_S}
        return Response(answer, status=status.HTTP_201_CREATED)
