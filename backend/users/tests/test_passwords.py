"""What a new password may not be."""

from __future__ import annotations

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from clients.models import Client
from users.models import User

SOMEBODY = User(email="o@example.com", client=Client(business_name="Corner Coffee Ltd"))


def codes(password: str, user: User | None = SOMEBODY) -> set[str]:
    """Why it is refused."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        return {str(each.code) for each in error.error_list}
    return set()


@pytest.mark.parametrize(
    ("password", "refused"),
    [
        ("sync2gear-2026", {"password_of_context"}),
        ("Sync2Gear!!Admin", {"password_of_context"}),
        ("CornerCoffee12", {"password_of_context"}),
        ("coffee-Corner-1", {"password_of_context"}),
        ("Password2026!", {"password_of_context"}),
        ("three words are enough", set()),
        ("the corner where tulips grow", set()),
        ("sync2gear violet umbrella", set()),
        ("Xk4-tulip", {"password_too_short"}),
        ("qwertyuiop", {"password_too_common"}),
        ("92736450183", {"password_entirely_numeric"}),
    ],
)
def test_what_is_refused(password: str, refused: set[str]) -> None:
    assert codes(password) == refused


def test_staff_have_no_business() -> None:
    assert codes("CornerCoffee12", User(email="s@example.com")) == set()
    assert codes("sync2gear-2026", None) == {"password_of_context"}
