"""The brief's commands, as they are written there, in a folder that holds the server alone."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from cryptography.fernet import Fernet

from core.tests.processes import PATIENCE_S, ROOT, environment, running, until
from testing import servers

pytestmark = pytest.mark.system

BOSS = "boss@example.com"
PASSWORD = "three words are enough"
PREPARING = (
    "python manage.py makemigrations",
    "python manage.py migrate",
    "python manage.py createsuperuser --noinput",  # the brief's asks for these three in a terminal
    "python manage.py collectstatic --noinput",
)


def test_the_commands_of_the_brief(tmp_path: Path) -> None:
    backend = tmp_path / "backend"
    shutil.copytree(
        ROOT / "backend", backend, ignore=shutil.ignore_patterns("__pycache__", "tests", "staticfiles")
    )
    with servers.running() as started:
        env = environment(
            tmp_path / "data",
            PATH=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            DATABASE_URL=started.database_url,
            REDIS_URL=started.redis_url,
            SECRET_KEY=secrets.token_urlsafe(50),
            ENCRYPTION_KEYS=Fernet.generate_key().decode(),
            DEBUG="False",
            PYTHONUNBUFFERED="1",
            DJANGO_SUPERUSER_USERNAME="boss",
            DJANGO_SUPERUSER_EMAIL=BOSS,
            DJANGO_SUPERUSER_PASSWORD=PASSWORD,
        )
        said = {command: run(command, backend, env) for command in PREPARING}
        assert "No changes detected" in said["python manage.py makemigrations"]
        assert re.search(r"\d{3} static files copied", said["python manage.py collectstatic --noinput"])

        port = servers.free_port()
        daphne = f"daphne -b 0.0.0.0 -p {port} core.asgi:application"
        with (
            running(
                shlex.split(at(env, "celery -A core worker -l info")),
                tmp_path / "worker",
                " ready",
                env,
                cwd=backend,
            ),
            running(
                shlex.split(at(env, "celery -A core beat -l info")),
                tmp_path / "beat",
                "is starting",
                env,
                cwd=backend,
            ),
            running(shlex.split(at(env, daphne)), tmp_path / "daphne", "Listening on TCP", env, cwd=backend),
        ):
            look(f"http://127.0.0.1:{port}")
            health = f"http://127.0.0.1:{port}/health/ready"  # the scheduler ticks, among others
            until(lambda: httpx.get(health).status_code == 200, lambda: httpx.get(health).text)

        port = servers.free_port()
        runserver = at(env, f"python manage.py runserver --noreload {port}")
        ready = "Starting development server"
        with running(
            shlex.split(runserver), tmp_path / "runserver", ready, env, cwd=backend, end=signal.SIGINT
        ):
            look(f"http://127.0.0.1:{port}")


def at(env: dict[str, str], command: str) -> str:
    """The command with the place of its program, as a shell would find it."""
    program, _, rest = command.partition(" ")
    return f"{shutil.which(program, path=env['PATH'])} {rest}"


def run(command: str, cwd: Path, env: dict[str, str]) -> str:
    """What a command says that has to end well."""
    done = subprocess.run(
        shlex.split(at(env, command)),
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def look(url: str) -> None:
    """The superuser signs in to the API and to the admin, which has its static files."""
    with httpx.Client(base_url=url, timeout=PATIENCE_S) as http:
        session = http.post("/api/auth/login/", json={"email": BOSS, "password": PASSWORD})
        assert session.status_code == 200, session.text
        me = http.get("/api/auth/me/", headers={"Authorization": f"Bearer {session.json()['access']}"})
        assert me.json()["role"] == "admin"

        form = http.get("/admin/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
        assert token is not None
        filled = {"csrfmiddlewaretoken": token[1], "username": BOSS, "password": PASSWORD, "next": "/admin/"}
        overview = http.post("/admin/login/", data=filled, follow_redirects=True)
        assert "Overview" in overview.text
        styles = re.findall(r'href="(/static/[^"]+\.css)"', overview.text)
        assert styles
        assert all(http.get(style).status_code == 200 for style in styles)
