"""`/api/auth/`: the ways in by mail. The link in a mail is the permission; nobody is signed in."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from common import clock
from common.openapi import BODY, problems
from common.throttling import caller_address, spend
from users import invitations, sessions
from users.auth_views import AnonymousView, validated
from users.serializers import (
    AcceptanceSerializer,
    AddressSerializer,
    NewPasswordSerializer,
    SentSerializer,
    SessionSerializer,
)

ON_ITS_WAY = "If somebody has this address here, a mail with a link is on its way to them."


class AcceptInvitationView(AnonymousView):
    """The end of being merely invited."""

    @extend_schema(
        summary="Accept an invitation",
        description="Sets the password and signs in. The link works once and for seven days.",
        tags=["auth"],
        auth=[],
        request=AcceptanceSerializer,
        responses={200: SessionSerializer, **problems(*BODY, "link_invalid", "rate_limited")},
    )
    def post(self, request: Request) -> Response:
        """200 with a session."""
        now = clock.now()
        spend("link.address", caller_address(), now=now)
        body = validated(AcceptanceSerializer(data=request.data))
        session = sessions.open_session(invitations.accept_invitation(**body, now=now))
        return Response(SessionSerializer(session).data)


class PasswordResetView(AnonymousView):
    """A mail for who forgot their password."""

    @extend_schema(
        summary="Ask for a new password",
        description="The answer is the same whether somebody has this address or not.",
        tags=["auth"],
        auth=[],
        request=AddressSerializer,
        responses={202: SentSerializer, **problems(*BODY, "rate_limited")},
    )
    def post(self, request: Request) -> Response:
        """202."""
        now = clock.now()
        spend("reset.address", caller_address(), now=now)
        body = validated(AddressSerializer(data=request.data))
        spend("reset.account", body["email"].lower(), now=now)
        invitations.request_password_reset(**body)
        return Response({"detail": ON_ITS_WAY}, status=status.HTTP_202_ACCEPTED)


class ConfirmPasswordResetView(AnonymousView):
    """The new password."""

    @extend_schema(
        summary="Choose a new password",
        description="Ends every session of the person, who then signs in. The link works once and for an hour.",
        tags=["auth"],
        auth=[],
        request=NewPasswordSerializer,
        responses={204: None, **problems(*BODY, "link_invalid", "rate_limited")},
    )
    def post(self, request: Request) -> Response:
        """204."""
        now = clock.now()
        spend("link.address", caller_address(), now=now)
        body = validated(NewPasswordSerializer(data=request.data))
        invitations.reset_password(**body, now=now)
        return Response(status=status.HTTP_204_NO_CONTENT)
