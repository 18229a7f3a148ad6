"""What tests of several apps share about AI providers: a fake one, and accounts there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ai_config.models import AIProvider
from ai_config.tests.fake_providers import KEY, Fake, serving


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    """The providers on this machine."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving() as server:
        yield server


@pytest.fixture
def provider(db: None, fake: Fake) -> Callable[..., AIProvider]:
    """`provider("openai", order=1)` is an account there."""

    def make(kind: str, **fields: Any) -> AIProvider:
        settings = {"name": f"Our {kind}", "api_key": KEY, "base_url": fake.url} | fields
        return AIProvider.objects.create(provider=kind, **settings)

    return make
