"""What answers tell a browser, whatever answered; and what production's settings have to be."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.test import Client

from core.headers import HEADERS, policy_for
from core.tests.processes import PATIENCE_S, SERVE, environment

pytestmark = pytest.mark.django_db

PATHS = {
    "/api/auth/me/": 401,
    "/api/nowhere/": 404,
    "/api/schema/": 200,
    "/api/docs/": 200,
    "/api/redoc/": 200,
    "/invitation": 200,
    "/admin/login/": 200,
    "/admin/": 302,
    "/media/music/1/x": 403,
    "/static/core/redoc.js": 200,
    "/health/live": 200,
    "/nowhere": 404,
}
"""An answer from each layer, and its status."""


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_says_what_a_browser_may_do_with_it(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == PATHS[path]
    for name, value in HEADERS.items():
        assert answer[name] == (
            "no-referrer" if (name, path) == ("Referrer-Policy", "/invitation") else value
        )
    policy = answer["Content-Security-Policy"]
    assert policy == policy_for(path)
    for held in ("default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert held in policy
    script = re.search(r"script-src ([^;]*)", policy)
    assert script is None or "'unsafe-inline'" not in script[1]
    assert answer["Cross-Origin-Resource-Policy"] == (
        "cross-origin" if path.startswith("/media") else "same-origin"
    )
    if not path.startswith("/static"):
        assert "no-store" in answer["Cache-Control"]


def test_what_was_uploaded_is_no_document() -> None:
    assert "sandbox" in policy_for("/media/music/1/x").split("; ")


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_echoed(client: Client, path: str) -> None:
    """TRACE would show a script what it may not read (RFC 9110 §9.3.8)."""
    answer = client.trace(path, headers={"x-secret": "only-for-the-server"})
    assert b"only-for-the-server" not in answer.content
    assert answer.headers.get("Content-Type") != "message/http"


# --- HTTPS -----------------------------------------------------------------------------------------------


@pytest.fixture
def https(settings: Any) -> None:
    """As with HTTPS on and one proxy of ours."""
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True


@pytest.mark.usefixtures("https")
def test_a_program_is_refused_and_a_page_is_redirected(client: Client) -> None:
    refused = client.post("/api/auth/login/", {"email": "a@example.com", "password": "x"})
    assert (refused.status_code, refused.json()["code"]) == (403, "https_required")
    assert client.get("/media/music/1/x").status_code == 403
    page = client.get("/invitation")
    assert (page.status_code, page["Location"]) == (301, "https://testserver/invitation")


@pytest.mark.usefixtures("https")
def test_what_came_by_https_is_served_and_says_so_for_a_year(client: Client) -> None:
    answer = client.get("/api/auth/me/", headers={"x-forwarded-proto": "https"})
    assert answer.status_code == 401
    assert answer["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


# --- the settings ----------------------------------------------------------------------------------------

SAYS = """
import json
from django.conf import settings
names = ("SESSION_COOKIE_NAME CSRF_COOKIE_NAME SESSION_COOKIE_SECURE CSRF_COOKIE_SECURE SESSION_COOKIE_HTTPONLY"
    " CSRF_COOKIE_HTTPONLY SESSION_COOKIE_SAMESITE CSRF_COOKIE_SAMESITE SESSION_COOKIE_DOMAIN SESSION_COOKIE_PATH"
    " SECURE_PROXY_SSL_HEADER SECURE_SSL_REDIRECT DEBUG")
print(json.dumps({name: getattr(settings, name) for name in names.split()}))
"""


def production(data: Path, **more: str) -> dict[str, str]:
    """An environment as an operator has it, with secrets of its own."""
    return environment(
        data,
        DATABASE_URL="postgresql://u@h/d",
        REDIS_URL="redis://h/0",
        SECRET_KEY=secrets.token_urlsafe(50),
        ENCRYPTION_KEYS=Fernet.generate_key().decode(),
        ALLOWED_HOSTS="sound.example",
        **more,
    )


def manage(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """One run of manage.py."""
    return subprocess.run(
        [sys.executable, SERVE[1], *arguments],
        env=env,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.system
def test_django_s_own_list_for_deployments_finds_nothing(tmp_path: Path) -> None:
    env = production(tmp_path, PUBLIC_URL="https://sound.example", TRUSTED_PROXIES="1")
    done = manage(env, "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    told = manage(env, "shell", "--no-imports", "-c", SAYS)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout) == {
        "SESSION_COOKIE_NAME": "__Host-sessionid",
        "CSRF_COOKIE_NAME": "__Host-csrftoken",
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "CSRF_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_DOMAIN": None,
        "SESSION_COOKIE_PATH": "/",
        "SECURE_PROXY_SSL_HEADER": ["HTTP_X_FORWARDED_PROTO", "https"],
        "SECURE_SSL_REDIRECT": True,
        "DEBUG": False,
    }


@pytest.mark.system
def test_it_would_find_something(tmp_path: Path) -> None:
    done = manage(production(tmp_path, HTTPS="no"), "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode != 0
    assert "SECURE_SSL_REDIRECT" in done.stderr
