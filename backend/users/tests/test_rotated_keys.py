"""A new SECRET_KEY signs nobody out and spoils no mail, as long as the former one stands in SECRET_KEY_FALLBACKS."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.tokens import RefreshToken, Token

from common import clock
from common.errors import Refusal
from users.links import PASSWORD_RESET, person_behind, token_for
from users.tests.support import PASSWORD

FORMER, OTHER = (f"a key that was in use before, of a good length {word}" for word in ("1", "2"))
LOGIN, REFRESH, LOGOUT, ME = (f"/api/auth/{name}/" for name in ("login", "refresh", "logout", "me"))


def by(key: str, token: Token) -> str:
    """The token as it would have been signed with `key`."""
    return TokenBackend("HS256", key).encode(token.payload)


@pytest.fixture
def refresh(call: Any, shop: Any) -> RefreshToken:
    """The refresh token of a session."""
    answer = call().post(LOGIN, {"email": shop.admin.email, "password": PASSWORD})
    return RefreshToken(answer.data["refresh"])


def get_me(call: Any, access: str) -> int:
    """The status with this access token."""
    return int(call().get(ME, HTTP_AUTHORIZATION=f"Bearer {access}").status_code)


def test_sessions_outlive_the_key(call: Any, refresh: RefreshToken, settings: Any) -> None:
    access = by(FORMER, refresh.access_token)
    assert get_me(call, access) == 401
    settings.SECRET_KEY_FALLBACKS = [OTHER, FORMER]
    assert get_me(call, access) == 200
    assert get_me(call, str(refresh.access_token)) == 200, "what the present key signed holds as before"
    answer = call().post(REFRESH, {"refresh": by(FORMER, refresh)})
    assert answer.status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert get_me(call, answer.data["access"]) == 200, "fresh tokens are signed with the present key"


def test_a_former_key_forgives_nothing(call: Any, refresh: RefreshToken, settings: Any) -> None:
    settings.SECRET_KEY_FALLBACKS = [FORMER]
    late = refresh.access_token
    late.set_exp(from_time=clock.now() - timedelta(days=1))
    assert get_me(call, by(FORMER, late)) == 401
    assert get_me(call, by(OTHER, refresh.access_token)) == 401
    assert get_me(call, "rubbish") == 401


def test_mailed_links_outlive_the_key(shop: Any, settings: Any) -> None:
    now = clock.now()
    token = token_for(shop.admin, PASSWORD_RESET, now=now)
    settings.SECRET_KEY_FALLBACKS = [OTHER, settings.SECRET_KEY]
    settings.SECRET_KEY = FORMER
    assert person_behind(token, PASSWORD_RESET, now=now) == shop.admin
    settings.SECRET_KEY_FALLBACKS = [OTHER]
    with pytest.raises(Refusal):
        person_behind(token, PASSWORD_RESET, now=now)


def test_the_admin_s_sessions_outlive_the_key(client: Any, staff: Any, settings: Any) -> None:
    staff.is_staff = True
    staff.save()
    client.force_login(staff)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = FORMER
    assert client.get("/admin/").status_code == 200
