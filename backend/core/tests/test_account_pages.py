"""The pages behind mailed links: what they are served with, and that they lead where the mails and the API say."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.urls import resolve

from core.account_pages import PAGES
from users.links import INVITATION, PASSWORD_RESET

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_from_this_host_alone_and_calls_a_route_that_is_there(client: Any, name: str) -> None:
    answer = client.get(f"/{name}")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert (answer["Referrer-Policy"], answer["X-Frame-Options"]) == ("no-referrer", "DENY")
    assert "no-store" in answer["Cache-Control"]
    loaded = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert len(loaded) == 2
    for path in loaded:
        assert finders.find(path.removeprefix("/static/")), path
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|style=", text), "nothing inline"
    assert resolve(PAGES[name].endpoint).func


def test_the_mails_lead_here() -> None:
    assert {purpose.path for purpose in (INVITATION, PASSWORD_RESET)} == {f"/{name}" for name in PAGES}
