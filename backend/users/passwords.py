"""New passwords: what is asked of them, in one place."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from rest_framework import serializers

from users.models import User

MOST_CHARACTERS = 256


class PasswordField(serializers.CharField):
    """A password in a body: taken as it is typed, never given back."""

    def __init__(self, **kwargs: Any) -> None:
        style = {"input_type": "password"}
        super().__init__(
            **({"write_only": True, "trim_whitespace": False, "max_length": MOST_CHARACTERS} | kwargs),
            style=style,
        )


def set_new_password(user: User, password: str) -> None:
    """Gives `user` (not yet saved) this password. Raises `ValidationError` on the field `password`.

    Every access and refresh token carries a digest of the stored password, so the old ones end with it.
    """
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.error_list}) from None
    user.set_password(password)
