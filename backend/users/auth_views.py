"""`/api/auth/`: registration, signing in and out, one's own profile."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from common import clock
from common.api import GuardedAPIView
from common.conditional import etag_of, require_match, shown
from common.openapi import BODY, SIGNED_IN, problems, reading
from common.permissions import IsAnybody, IsFloorUser
from common.rows import lock_row
from common.throttling import caller_address, forgive, spend
from users import avatars, services, sessions
from users.models import User
from users.pictures import PICTURE_PROBLEMS
from users.serializers import (
    ChangedMeSerializer,
    LoginSerializer,
    MeSerializer,
    OwnPasswordSerializer,
    PictureSerializer,
    ProfileSerializer,
    RefreshSerializer,
    RegistrationSerializer,
    SessionSerializer,
    TokensSerializer,
    UserSessionSerializer,
)

EDITABLE = tuple(ProfileSerializer().fields)
"""What of a profile a change may set, and its entity tag goes by."""


def validated(serializer: Serializer[Any]) -> Any:
    """What the serializer makes of its body; raises `ValidationError`."""
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


class AnonymousView(GuardedAPIView):
    """What is open to everybody. A stale access token in the request is no reason to refuse it."""

    authentication_classes = ()
    access = {"post": IsAnybody}
    repeatable = {
        "post": "nobody is signed in whose key it could be; used links and addresses are refused anyway"
    }


class RegisterView(AnonymousView):
    """A new business and its first admin."""

    @extend_schema(
        summary="Register a business",
        description="Makes the business (on trial) and its first admin, and signs them in.",
        tags=["auth"],
        auth=[],
        request=RegistrationSerializer,
        responses={
            201: SessionSerializer,
            **problems("validation_failed", "malformed", "rate_limited"),
        },
    )
    def post(self, request: Request) -> Response:
        """201 with a session."""
        now = clock.now()
        spend("register.address", caller_address(), now=now)
        body = validated(RegistrationSerializer(data=request.data))
        session = sessions.open_session(services.register_business(**body, now=now))
        return Response(SessionSerializer(session).data, status=status.HTTP_201_CREATED)


class LoginView(AnonymousView):
    """A session for an account and its password."""

    @extend_schema(
        summary="Sign in",
        description="By `email` or `username`. The answer does not tell which of the two was wrong.",
        tags=["auth"],
        auth=[],
        request=LoginSerializer,
        responses={
            200: SessionSerializer,
            **problems("validation_failed", "malformed", "bad_credentials", "rate_limited"),
        },
    )
    def post(self, request: Request) -> Response:
        """200 with a session."""
        body = validated(LoginSerializer(data=request.data))
        session = sessions.sign_in(**body, now=clock.now())
        return Response(SessionSerializer(session).data)


class RefreshView(AnonymousView):
    """A fresh pair of tokens."""

    @extend_schema(
        summary="Rotate the tokens",
        description="A refresh token works once; the answer holds the next one.",
        tags=["auth"],
        auth=[],
        request=RefreshSerializer,
        responses={200: TokensSerializer, **problems("validation_failed", "malformed", "token_invalid")},
    )
    def post(self, request: Request) -> Response:
        """200 with the next pair."""
        session = sessions.rotate(**validated(RefreshSerializer(data=request.data)))
        return Response(TokensSerializer(session).data)


class LogoutView(GuardedAPIView):
    """The end of a session."""

    access = {"post": IsFloorUser}
    only_in_person = frozenset({"post"})
    works_when_locked = frozenset({"post"})
    repeatable = {"post": "a session that has ended is ended"}

    @extend_schema(
        summary="Sign out",
        description="Ends the session of this refresh token. Doing it twice is no error.",
        tags=["auth"],
        request=RefreshSerializer,
        responses={
            204: None,
            **problems(
                "validation_failed",
                "malformed",
                "not_authenticated",
                "token_invalid",
                "permission_denied",
                "impersonating",
            ),
        },
    )
    def post(self, request: Request) -> Response:
        """204; what the browser kept of this server's answers goes too (W3C Clear Site Data)."""
        sessions.sign_out(user=self.caller, **validated(RefreshSerializer(data=request.data)))
        return Response(status=status.HTTP_204_NO_CONTENT, headers={"Clear-Site-Data": '"cache"'})


class SessionsView(GuardedAPIView):
    """Where one is signed in."""

    access = {"get": IsFloorUser}
    only_in_person = frozenset({"get"})

    @extend_schema(
        operation_id="auth_sessions_list",
        summary="List your own sessions",
        description="Where you are signed in: since when, last used when and from where. `current` is this one.",
        tags=["auth"],
        responses={200: UserSessionSerializer(many=True), **problems(*SIGNED_IN, "impersonating")},
    )
    def get(self, request: Request) -> Response:
        """200 with the sessions, the latest used first."""
        mine = sessions.open_sessions(self.caller)
        return Response(
            UserSessionSerializer(mine, many=True, context={"current": self.caller.session_id}).data
        )


class LogoutEverywhereView(GuardedAPIView):
    """The end of all sessions."""

    access = {"post": IsFloorUser}
    only_in_person = frozenset({"post"})
    works_when_locked = frozenset({"post"})
    repeatable = {"post": "sessions that have ended are ended"}

    @extend_schema(
        summary="Sign out everywhere",
        description="Ends every session of yours, this one too, at once. Needs your current password.",
        tags=["auth"],
        request=OwnPasswordSerializer,
        responses={
            204: None,
            **problems(*BODY, *SIGNED_IN, "impersonating", "wrong_password", "rate_limited"),
        },
    )
    def post(self, request: Request) -> Response:
        """204."""
        body = validated(OwnPasswordSerializer(data=request.data))
        now = clock.now()
        spend("password.user", str(self.caller.pk), now=now)
        services.prove_oneself(self.caller, body["current_password"])
        forgive("password.user", str(self.caller.pk), now=now)
        sessions.end_all(user=self.caller)
        return Response(status=status.HTTP_204_NO_CONTENT, headers={"Clear-Site-Data": '"cache"'})


class MeView(GuardedAPIView):
    """The person who asks."""

    access = {"get": IsFloorUser, "patch": IsFloorUser}
    conditional = frozenset({"get", "patch"})
    only_in_person = frozenset({"patch"})
    works_when_locked = frozenset({"patch"})
    """One's own account is not the business's: a leaked password is changed at any time."""

    @extend_schema(
        summary="Read your own profile",
        description="With your business, its plan and trial, your floor, and what your role may do.",
        tags=["auth"],
        responses={200: MeSerializer, **reading()},
    )
    def get(self, request: Request) -> Response:
        """200 with the profile."""
        return shown(request, MeSerializer(self.caller), EDITABLE)

    @extend_schema(
        summary="Change your own profile",
        description=(
            "Another e-mail address and a new password need the current one. A new password ends every session;"
            " the answer opens a new one."
        ),
        tags=["auth"],
        request=ProfileSerializer,
        responses={
            200: ChangedMeSerializer,
            **problems(*BODY, *SIGNED_IN, "impersonating", "wrong_password", "rate_limited"),
        },
    )
    def patch(self, request: Request) -> Response:
        """200 with the changed profile."""
        body = validated(ProfileSerializer(self.caller, data=request.data, partial=True))
        now = clock.now()
        proven = services.needs_password(self.caller, **body)
        if proven:
            spend("password.user", str(self.caller.pk), now=now)
        with transaction.atomic():
            user = lock_row(User.everyone.all(), self.caller.pk)
            require_match(request, MeSerializer(user), EDITABLE)
            user = services.update_profile(user=user, **body)
        if proven:
            forgive("password.user", str(user.pk), now=now)
        answer = dict(MeSerializer(user).data)
        if "password" in body:
            answer |= TokensSerializer(sessions.open_session(user)).data
        response = Response(answer)
        response["ETag"] = etag_of(MeSerializer(user), EDITABLE)
        return response


class OwnAvatarView(GuardedAPIView):
    """One's own picture."""

    access = {"put": IsFloorUser, "delete": IsFloorUser}
    only_in_person = frozenset({"put", "delete"})
    works_when_locked = frozenset({"put", "delete"})
    parser_classes = (MultiPartParser,)

    @extend_schema(
        summary="Set your own picture",
        description="A square picture in place of the one before.",
        tags=["auth"],
        request={"multipart/form-data": PictureSerializer},
        responses={
            200: MeSerializer,
            **problems(
                *BODY,
                *SIGNED_IN,
                *PICTURE_PROBLEMS,
                "impersonating",
                "rate_limited",
                "unsupported_media_type",
            ),
        },
    )
    def put(self, request: Request) -> Response:
        """200 with the profile."""
        spend("avatar.user", str(self.caller.pk), now=clock.now())
        picture = validated(PictureSerializer(data=request.data))["file"]
        return Response(MeSerializer(avatars.set_avatar(user=self.caller, upload=picture)).data)

    @extend_schema(
        summary="Remove your own picture",
        description="Doing it twice is no error.",
        tags=["auth"],
        responses={204: None, **problems(*SIGNED_IN, "impersonating")},
    )
    def delete(self, request: Request) -> Response:
        """204."""
        avatars.remove_avatar(user=self.caller)
        return Response(status=status.HTTP_204_NO_CONTENT)
