"""Fixtures for every app's tests: two businesses side by side, one person in each role, and ways to call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from rest_framework.test import APIClient

from clients.models import Client
from common import clock
from common.environment import S3
from common.permissions import ADMIN, CLIENT, FLOOR_USER
from common.tenancy import entered, system_scope
from devices.models import Device
from testing import s3
from users.models import User
from zones.models import Floor

pytest_plugins = ["testing.plugin", "testing.emptying"]

PASSWORD = "correct horse battery"
_serial = count(1)


@dataclass
class Business:
    """A business with two floors, a client admin, a floor user of the first floor and a device on each floor."""

    client: Client
    floors: list[Floor]
    admin: User
    floor_user: User
    devices: list[Device]
    extra: dict[str, Any] = field(default_factory=dict)


def make_user(role: str, client: Client | None = None, floor: Floor | None = None, **fields: Any) -> User:
    """A person with PASSWORD; the address is unique."""
    number = next(_serial)
    name = fields.pop("username", f"{role}{number}@example.com")
    return User.everyone.create_user(
        username=name,
        email=fields.pop("email", name),
        password=PASSWORD,
        role=role,
        client=client,
        floor=floor,
        **fields,
    )


def make_business(name: str = "", *, status: str = Client.Status.ACTIVE, **fields: Any) -> Business:
    """A whole business; call it inside any scope or none."""
    number = next(_serial)
    name = name or f"Shop {number}"
    with system_scope("test data"):
        client = Client.objects.create(
            name=name,
            business_name=name,
            email=f"shop{number}@example.com",
            telephone="+44 20 0000",
            status=status,
            multi_floor_enabled=fields.pop("multi_floor_enabled", True),
            max_floors=fields.pop("max_floors", 5),
            trial_ends_at=fields.pop("trial_ends_at", clock.now() + timedelta(days=14)),
            **fields,
        )
        floors = [Floor.objects.create(client=client, name=word) for word in ("Ground", "Upper")]
        return Business(
            client=client,
            floors=floors,
            admin=make_user(CLIENT, client),
            floor_user=make_user(FLOOR_USER, client, floors[0]),
            devices=[
                Device.objects.create(
                    client=client,
                    floor=floor,
                    name=f"Speaker {floor.name}",
                    device_id=f"hw-{number}-{floor.pk}",
                )
                for floor in floors
            ],
        )


@pytest.fixture(autouse=True)
def _no_scope(settings: Any, tmp_path: Any) -> Iterator[None]:
    """Every test starts in no tenant scope, with media of its own and nothing remembered in the cache."""
    from django.core.cache import cache

    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()
    with entered(None):
        yield


@pytest.fixture
def shop(db: None) -> Business:
    """The business under test."""
    return make_business("Our shop")


@pytest.fixture
def other_shop(db: None) -> Business:
    """Another tenant, whose rows must never be seen."""
    return make_business("Other shop")


@pytest.fixture
def staff(db: None) -> User:
    """A super admin of sync2gear."""
    return make_user(ADMIN)


@pytest.fixture
def call() -> Callable[[User | None], APIClient]:
    """`call(user)` is an API client signed in with a real access token of that person (None: anonymous)."""
    from rest_framework_simplejwt.tokens import RefreshToken

    def signed_in(user: User | None = None) -> APIClient:
        client = APIClient()
        if user is not None:
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {RefreshToken.for_user(user).access_token}")
        return client

    return signed_in


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The address of a real S3 endpoint in a process of its own."""
    with s3.running() as endpoint:
        yield endpoint


@pytest.fixture
def bucket(s3_endpoint: str) -> S3:
    """A new, empty bucket there."""
    return s3.fresh_bucket(s3_endpoint)


@pytest.fixture
def everything() -> Iterator[None]:
    """The test looks at the rows of every business."""
    with system_scope("the test looks at the database itself"):
        yield
