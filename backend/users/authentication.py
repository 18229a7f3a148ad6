"""Who calls the API: a person with an access token (JWT)."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import AuthenticationFailed, InvalidToken
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import Token

from users.models import User, UserSession
from users.tokens import holds, recognise, session_of


class BearerAuthentication(JWTAuthentication):
    """A person's access token. The person and the session are read anew at every request: a sign-out, a change of role,
    a removal or a new password holds at once, not only when the token expires."""

    www_authenticate_realm = "api"

    def get_user(self, validated_token: Token) -> Any:
        """The active user whom the token names; raises `AuthenticationFailed`."""
        try:
            user_id = validated_token[api_settings.USER_ID_CLAIM]
        except KeyError:
            raise InvalidToken("The token names nobody.") from None
        people = User.everyone.select_related("client", "floor").filter(pk=user_id)
        session = session_of(validated_token)
        if session is not None:
            people = people.annotate(
                session_ended=~Exists(
                    UserSession.objects.filter(pk=session, user=OuterRef("pk"), ended_at=None)
                )
            )
        user: Any = people.first()
        if user is None or not user.may_sign_in:
            raise AuthenticationFailed("The user is gone or shut out.")
        if session is not None and user.session_ended:
            raise AuthenticationFailed("This session was ended: sign in again.")
        user.session_id = session
        if not holds(validated_token, user):
            raise AuthenticationFailed("The password, role or floor was changed since: sign in again.")
        if not recognise(validated_token, user):
            raise AuthenticationFailed("The impersonation has ended.")
        return user
