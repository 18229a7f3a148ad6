"""The files of `deploy/` start what `make stack` starts, name settings that exist, and agree with each other.

`make proxy` runs nginx with its configuration and has systemd read the units; containers are run by nobody.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from deploy import stack

from common import clock
from common.media_urls import media_url
from common.tenancy import system_scope
from core.tests.processes import ROOT
from core.tests.test_papers import settings_read
from music.models import MusicFile

DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
UNITS = {path.name: path.read_text() for path in (DEPLOY / "systemd").glob("*.service")}
DOCKERFILE = re.sub(r"\\\n\s*", "", (DEPLOY / "Dockerfile").read_text())
NGINX = (DEPLOY / "nginx" / "sync2gear.conf.template").read_text()

NOT_OURS = {"PATH", "PYTHONUNBUFFERED", "TMPDIR", "SERVER_NAME", "POSTGRES_PASSWORD"}
"""Variables of the system, and of compose and nginx."""


def bare(command: list[str]) -> tuple[str, ...]:
    """What a command runs: without paths, and without names and numbers that differ from place to place."""
    words = [
        word.rpartition("/")[2] for word in command if not word.startswith(("--hostname", "--concurrency"))
    ]
    if words[0].startswith("python"):
        words.pop(0)
    if words[0] == "-m":
        words.pop(0)
    return tuple(words)


STACK = {bare(command) for command in stack.PROCESSES.values()}


def test_containers_run_what_the_stack_runs() -> None:
    built = [service for service in SERVICES.values() if "build" in service]
    commands = {bare(service["command"]) for service in built}
    assert commands == {*STACK, ("manage.py", "migrate", "--noinput")}
    assert (
        shlex.split(re.findall(r"^CMD \[(.+)\]$", DOCKERFILE, re.MULTILINE)[-1].replace(",", ""))
        == (SERVICES["web1"]["command"])
    )


def test_units_run_what_the_stack_runs() -> None:
    started = {name: re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE) for name, text in UNITS.items()}
    assert {bare(shlex.split(line)) for lines in started.values() for line in lines} == STACK


def test_units_are_hardened_alike() -> None:
    (fence,) = {text.partition("\nStateDirectory=")[2] for text in UNITS.values()}
    lines = {"NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "UMask=0027"}
    assert lines <= set(fence.splitlines())
    assert all("\nUser=sync2gear\n" in text for text in UNITS.values())


def variables() -> set[str]:
    """Every variable that our processes are given somewhere in deploy/."""
    given = set(re.findall(r"^#?([A-Z0-9_]+)=", (DEPLOY / "env.example").read_text(), re.MULTILINE))
    given |= set(SERVICES["web1"]["environment"])
    (env,) = re.findall(r"^ENV (.+)$", DOCKERFILE, re.MULTILINE)
    given |= set(
        re.findall(r"([A-Z0-9_]+)=", env + " ".join(re.findall(r"^RUN (SECRET.+)$", DOCKERFILE, re.M)))
    )
    for text in UNITS.values():
        given |= set(re.findall(r"([A-Z0-9_]+)=", "".join(re.findall(r"^Environment=(.+)$", text, re.M))))
    return given


def test_every_variable_is_a_setting() -> None:
    assert variables() - NOT_OURS <= settings_read()
    assert {"SECRET_KEY", "TRUSTED_PROXIES", "WEB_CONCURRENCY", "SYNC2GEAR_DATA"} <= variables()


def test_the_image_is_made_of_locked_wheels_and_runs_as_nobody_in_particular() -> None:
    packages, final = DOCKERFILE.split("\nFROM ")[1:]
    assert "--require-hashes" in packages
    assert "--only-binary :all:" in packages
    assert "pip" not in final
    users = re.findall(r"^USER (\S+)$", final, re.MULTILINE)
    assert users == re.findall(r"useradd .*--uid (\d+)", final)
    assert "/health/live" in re.findall(r"^HEALTHCHECK .+$", final, re.MULTILINE)[0]


def test_nothing_but_the_server_s_code_is_built_from() -> None:
    wanted, *refused = [
        line for line in (ROOT / ".dockerignore").read_text().split("\n") if line[:1] not in "#"
    ]
    assert wanted == "*"
    assert "!backend" in refused
    assert {"**/.env", "**/tests"} <= set(refused)


def test_nginx_is_told_all_that_it_asks_for() -> None:
    asked = set(re.findall(r"\$\{([A-Z0-9_]+)\}", NGINX))
    assert set(SERVICES["nginx"]["environment"]) == asked
    guide = (ROOT / "docs" / "operations.md").read_text().partition("## TLS")[2].partition("envsubst ")[0]
    assert asked == set(re.findall(r"([A-Z0-9_]+)=", guide))


def test_nginx_and_the_application_agree() -> None:
    environment = SERVICES["web1"]["environment"]
    assert f"location {environment['MEDIA_ACCEL_PREFIX']} {{\n        internal;" in NGINX
    assert environment["TRUSTED_PROXIES"] == "1"
    (data,) = re.findall(r"SYNC2GEAR_DATA=(\S+)", DOCKERFILE)
    assert SERVICES["nginx"]["environment"]["MEDIA_FOLDER"] == f"{data}/media"


@pytest.mark.django_db
def test_nginx_passes_every_header_of_a_media_answer(
    shop: Any, call: Any, settings: Any, tmp_path: Path
) -> None:
    """X-Accel-Redirect drops all but a few headers of the application: https://nginx.org/r/proxy_ignore_headers."""
    settings.MEDIA_ACCEL_PREFIX = "/protected/"
    settings.CORS_ALLOWED_ORIGINS = ["https://dashboard.example"]
    path = Path(settings.MEDIA_ROOT) / "a.mp3"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"0123456789")
    with system_scope("test data"):
        track = MusicFile.objects.create(
            client=shop.client, file="a.mp3", file_size=10, duration=1, mime_type="audio/mpeg", sha256="a" * 64,
            status="ready",
        )  # fmt: skip
    url, _ = media_url("music", track.pk, "a" * 64, now=clock.now())
    answer = call().get(url, HTTP_ORIGIN="https://dashboard.example")
    assert answer["X-Accel-Redirect"] == "/protected/a.mp3"
    taken_over = {
        "Content-Type",
        "Content-Disposition",
        "Cache-Control",
        "X-Accel-Redirect",
        "Content-Length",
    }
    repeated = re.findall(r"add_header (\S+) \$upstream_http_(\w+);", NGINX)
    assert all(name.lower().replace("-", "_") == variable for name, variable in repeated)
    missing = {name.lower() for name in answer.headers} - {name.lower() for name, _ in repeated}
    assert missing <= {name.lower() for name in taken_over}
