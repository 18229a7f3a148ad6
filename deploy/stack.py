"""`make stack`: the production footprint on this machine, all processes side by side, until Ctrl-C.

PostgreSQL and Valkey come from wheels and keep their data in SYNC2GEAR_DATA/stack; DATABASE_URL and REDIS_URL name
others instead. Everything else is what `deploy/` starts elsewhere.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from honcho.manager import Manager

from common.data_folder import generated_secret, prepare_folder
from testing import servers

BACKEND = Path(__file__).resolve().parent.parent / "backend"
MANAGE = [sys.executable, str(BACKEND / "manage.py")]
CELERY = [sys.executable, "-m", "celery", "-A", "core"]
PROCESSES: dict[str, list[str]] = {
    "web": [*MANAGE, "serve"],
    "worker1": [*CELERY, "worker", "--hostname=worker1@%h", "--concurrency=2"],
    "worker2": [*CELERY, "worker", "--hostname=worker2@%h", "--concurrency=2"],
    "ticks": [*CELERY, "worker", "--hostname=ticks@%h", "--queues=ticks", "--concurrency=1"],
    "beat1": [*CELERY, "beat"],
    "beat2": [*CELERY, "beat"],
}
WEB_PROCESSES = 2
STOPPED = frozenset({130, 143})
"""What a shell calls the end by Ctrl-C and by SIGTERM."""


def settings(folder: Path, held: ExitStack) -> dict[str, str]:
    """The environment of every process; starts the servers that are not named in ours."""
    chosen = {
        "SECRET_KEY": lambda: generated_secret(folder / "secret_key"),
        "ENCRYPTION_KEYS": lambda: generated_secret(folder / "encryption_key", kind="fernet"),
        "WEB_CONCURRENCY": lambda: str(WEB_PROCESSES),
        "LOG_FORMAT": lambda: "plain",
        "DATABASE_URL": lambda: held.enter_context(servers.postgres(folder, settings=servers.DURABLE)),
        "REDIS_URL": lambda: held.enter_context(servers.valkey(folder / "valkey")),
    }
    made = {name: make() for name, make in chosen.items() if not os.environ.get(name)}
    return {**os.environ, **made, "SYNC2GEAR_DATA": str(folder)}


def prepare(env: Mapping[str, str], folder: Path) -> None:
    """What is done once before many processes start: migrations, static files, a first account."""
    for command in (["migrate", "--verbosity=0"], ["collectstatic", "--noinput", "--verbosity=0"]):
        subprocess.run([*MANAGE, *command], env=env, check=True)
    password = generated_secret(folder / "admin_password")
    account = {
        "DJANGO_SUPERUSER_USERNAME": "admin@sync2gear.example",
        "DJANGO_SUPERUSER_EMAIL": "admin@sync2gear.example",
        "DJANGO_SUPERUSER_PASSWORD": password,
    }
    made = subprocess.run(
        [*MANAGE, "createsuperuser", "--noinput"], env={**env, **account}, capture_output=True, check=False
    )
    if made.returncode == 0:
        print(
            f"Sign in as {account['DJANGO_SUPERUSER_EMAIL']}, password in {folder / 'admin_password'}",
            flush=True,
        )


def main() -> int:
    """Runs until Ctrl-C (status 0), or until one of the processes ends, which ends all; the status is that one's."""
    folder = Path(os.environ.get("SYNC2GEAR_DATA") or "var").resolve() / "stack"
    prepare_folder(folder)
    if os.geteuid() == 0:  # then PostgreSQL runs as nobody, who has to find its way to its own folder
        folder.parent.chmod(0o711)
    with ExitStack() as held:
        env = settings(folder, held)
        prepare(env, folder)
        manager = Manager()
        for name, command in PROCESSES.items():
            manager.add_process(name, shlex.join(command), env=dict(env), cwd=str(BACKEND))
        manager.loop()
        return 0 if manager.returncode in STOPPED else int(manager.returncode or 0)


if __name__ == "__main__":
    sys.exit(main())
