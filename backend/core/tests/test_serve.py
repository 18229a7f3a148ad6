"""`manage.py serve` as a real process: the first start, the second, the ways not to start, and the end."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.tests.processes import PATIENCE_S, SERVE, environment, serving

pytestmark = pytest.mark.system


def status_of(url: str, body: Any = None, **headers: str) -> int:
    """The HTTP status of a GET, or of a POST when there is a body."""
    method = "GET" if body is None else "POST"
    return httpx.request(method, url, json=body, headers=headers, timeout=PATIENCE_S).status_code


def refusal(data: Path, **more: str) -> str:
    """The one sentence of a server that does not start."""
    done = subprocess.run(
        SERVE, env=environment(data, **more), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_first_and_second_start(tmp_path: Path) -> None:
    data = tmp_path / "var"
    with serving(data) as (url, welcome):
        assert "Super admin, shown once" in welcome
        password = re.search(r"admin@\S+  password: (\S+)", welcome)
        assert password is not None
        admin = {"email": "admin@sync2gear.example", "password": password[1]}
        assert status_of(f"{url}/api/auth/login/", admin) == 200
        script = re.search(r'src="(/static/[^"]+bundle[^"]*)"', httpx.get(f"{url}/api/docs/").text)
        assert script is not None
        assert status_of(url + script[1]) == 200
        token = (data / "demo" / "speaker.token").read_text()
        assert status_of(f"{url}/api/devices/self/", Authorization=f"Bearer {token}") == 200
        assert status_of(f"{url}/api/auth/me/", Host="evil.example") == 400

        assert re.match(r"Another server \(process \d+\) works in ", refusal(data))
        port = url.rpartition(":")[2]
        assert refusal(tmp_path / "other", PORT=port).startswith(f"Port {port} on 127.0.0.1 is in use: ")

    began = time.monotonic()
    with serving(data) as (url, welcome):
        assert time.monotonic() - began < 20, "a second start takes seconds, even on a busy machine"
        assert "Super admin" not in welcome
        assert status_of(f"{url}/api/auth/login/", admin) == 200
        assert status_of(f"{url}/api/devices/self/", Authorization=f"Bearer {token}") == 200


def test_without_a_demo_and_for_the_whole_network(tmp_path: Path) -> None:
    chosen = {"SYNC2GEAR_ADMIN_EMAIL": "me@shop.example", "SYNC2GEAR_ADMIN_PASSWORD": "chosen by me"}
    with serving(tmp_path, SYNC2GEAR_DEMO="0", HOST="0.0.0.0", **chosen) as (url, welcome):  # noqa: S104
        assert "Demo" not in welcome
        assert not (tmp_path / "demo").exists()
        me = {"email": "me@shop.example", "password": "chosen by me"}
        assert status_of(f"{url}/api/auth/login/", me) == 200
        name = os.uname().nodename.lower()
        assert f"http://{name}:" in welcome
        assert status_of(f"{url}/api/auth/login/", me, Host=name) == 200
        assert status_of(f"{url}/api/auth/login/", me, Host="evil.example") == 400


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"SYNC2GEAR_DATA": "/dev/null/var"}, "The data folder /dev/null/var cannot be written "),
        ({"PORT": "eighty"}, "PORT='eighty' is not a whole number."),
        ({"HOST": "192.0.2.1"}, "192.0.2.1 is no address of this machine: "),
        ({"WEB_CONCURRENCY": "2"}, "Several web processes share no messages without Redis. Set REDIS_URL"),
    ],
)
def test_what_cannot_start_says_why(tmp_path: Path, more: dict[str, str], sentence: str) -> None:
    assert refusal(tmp_path, **more).startswith(sentence)


def test_sigterm_while_it_starts_ends_quietly(tmp_path: Path) -> None:
    with subprocess.Popen(
        SERVE, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        while process.poll() is None and not (tmp_path / "serve.lock").exists():
            time.sleep(0.01)
        process.terminate()
        _, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (0, b"")
