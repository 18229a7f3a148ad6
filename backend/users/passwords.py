"""New passwords: what is asked of them, in one place."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from rest_framework import serializers

from users.models import User

MOST_CHARACTERS = 256
LEAST_OF_ONE_S_OWN = 6
"""Letters and digits that a password has besides the words below."""

CONTEXT_WORDS = (
    "sync2gear",
    "password",
    "passwort",
    "welcome",
    "music",
    "speaker",
    "announcement",
    "shop",
    "store",
    "admin",
)
"""What a guesser of this very server begins with; to these comes the name of the business, word by word."""


class ContextWordsValidator:
    """Refuses a password that is little more than CONTEXT_WORDS and the name of the business (ASVS 5.0, 6.2.11)."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raises `ValidationError` `password_of_context`."""
        business = user.client.business_name if user is not None and user.client is not None else ""
        words = [*CONTEXT_WORDS, *(word for word in re.findall(r"\w+", business.lower()) if len(word) > 2)]
        rest = password.lower()
        for word in sorted(words, key=len, reverse=True):
            rest = rest.replace(word, "")
        if len(rest) < len(password) and sum(map(str.isalnum, rest)) < LEAST_OF_ONE_S_OWN:
            raise ValidationError(self.get_help_text(), code="password_of_context")

    def get_help_text(self) -> str:
        """What it asks for."""
        return "Choose something else than the names of this service and your business with a little around them."


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
