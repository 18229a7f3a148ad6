"""The keys of access and refresh tokens: SECRET_KEY signs, and what SECRET_KEY_FALLBACKS signed still holds.

simplejwt knows one key alone, and a new one would sign everybody out.
"""

from __future__ import annotations

from typing import Any

import jwt
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend


class RotatedKeys(TokenBackend):
    """simplejwt's backend, which also accepts tokens of former keys until they expire."""

    def get_verifying_key(self, token: Any) -> Any:
        """The former key that signed this token, else the present one, which accepts or refuses it."""
        for key in settings.SECRET_KEY_FALLBACKS:
            try:
                jwt.PyJWS().decode(token, key, algorithms=[self.algorithm])
            except jwt.InvalidTokenError:
                continue
            return key
        return super().get_verifying_key(token)
