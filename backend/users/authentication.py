"""Who calls the API: a person with an access token (JWT)."""

from __future__ import annotations

from typing import Any

from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import AuthenticationFailed, InvalidToken
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import Token

from users.models import User
from users.tokens import holds, recognise


class BearerAuthentication(JWTAuthentication):
    """A person's access token. The person is read anew at every request: a change of role, a removal or a new
    password holds at once, not only when the token expires."""

    www_authenticate_realm = "api"

    def get_user(self, validated_token: Token) -> Any:
        """The active user whom the token names; raises `AuthenticationFailed`."""
        try:
            user_id = validated_token[api_settings.USER_ID_CLAIM]
        except KeyError:
            raise InvalidToken("The token names nobody.") from None
        user = User.everyone.select_related("client", "floor").filter(pk=user_id).first()
        if user is None or not user.may_sign_in:
            raise AuthenticationFailed("The user is gone or shut out.")
        if not holds(validated_token, user):
            raise AuthenticationFailed("The password, role or floor was changed since: sign in again.")
        if not recognise(validated_token, user):
            raise AuthenticationFailed("The impersonation has ended.")
        return user
