"""The guide's lines for backup and restore, run as they stand: nothing is missing afterwards, on either database.

The restored copy lies beside the original, so that both can be read and compared.
"""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from django.conf import settings as in_force
from django.core.files.base import ContentFile
from django.db import connection

from audit import sealing
from audit.services import record
from common import clock
from common.tenancy import system_scope
from conftest import make_business
from core.tests.processes import ROOT, environment
from music.models import MusicFile
from testing import servers
from webhooks.models import Webhook

GUIDE = (ROOT / "docs" / "operations.md").read_text()
STEPS = dict(re.findall(r"^```sh ([a-z ]+)\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL))
SOUND = bytes(range(256)) * 64

Tables = dict[str, list[Any]]


@pytest.fixture
def business(transactional_db: None, settings: Any, tmp_path: Path) -> Any:
    """A business with something of each kind: rows, an audit trail, a file, a secret."""
    settings.MEDIA_ROOT = tmp_path / "old" / "media"
    shop = make_business()
    with system_scope("test data"):
        track = MusicFile(
            client=shop.client, file_size=len(SOUND), duration=1, mime_type="audio/mpeg", status="ready"
        )
        track.sha256 = hashlib.sha256(SOUND).hexdigest()
        track.file.save("a.mp3", ContentFile(SOUND))
        Webhook.objects.create(client=shop.client, url="https://example.com/", secret="whsec_told-to-nobody")
        for number in range(20):
            record("play", resource="announcement", resource_id=number, client_id=shop.client.pk, details={})
    sealing.seal(now=clock.now())
    return shop


def run(step: str, env: dict[str, str]) -> None:
    """One block of the guide, line by line until one fails."""
    shell = ["bash", "-euo", "pipefail", "-c", STEPS[step]]
    done = subprocess.run(shell, env=env, cwd=ROOT / "backend", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def contents(url: str) -> Tables:
    """Every row of every table, as text."""
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as read:
            names = [name for (name,) in read.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: sorted(map(repr, read.execute(f'SELECT * FROM "{name}"'))) for name in names}  # noqa: S608  # its own names
    with psycopg.connect(url) as read:
        rows = read.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {
            name: [text for (text,) in read.execute(f'SELECT t::text FROM "{name}" t ORDER BY 1')]  # noqa: S608  # its own names
            for (name,) in rows
        }


def test_dump_and_restore_lose_nothing(business: Any, tmp_path: Path) -> None:
    vendor = connection.vendor
    old, new, backup = (tmp_path / name for name in ("old", "new", "backup"))
    for folder in (old, new, backup):
        folder.mkdir(exist_ok=True)
    (old / "secret_key").write_text(in_force.SECRET_KEY)
    (old / "encryption_key").write_text(in_force.ENCRYPTION_KEYS[0])
    named = {"BACKUP": str(backup), "NEW_DATA": str(new), "DJANGO_SETTINGS_MODULE": "core.settings"}
    env = environment(old, **named)
    env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"
    if vendor == "postgresql":
        where = connection.settings_dict
        server = f"postgresql://{where['USER']}@{quote(where['HOST'], safe='')}"
        env |= {name: os.environ[name] for name in ("SECRET_KEY", "ENCRYPTION_KEYS", "REDIS_URL")}
        env |= {"DATABASE_URL": f"{server}/{where['NAME']}", "NEW_DATABASE_URL": f"{server}/restored"}
        env |= {"NEW_NAME": "restored", "PGHOST": where["HOST"], "PGUSER": where["USER"]}
        env["PATH"] = f"{servers.installed_programs()}:{env['PATH']}"
    else:
        (old / "sync2gear.sqlite3").symlink_to(connection.settings_dict["NAME"])
        env |= {"DATABASE_URL": f"sqlite:///{old}/sync2gear.sqlite3"}
        env |= {"NEW_DATABASE_URL": f"sqlite:///{new}/sync2gear.sqlite3"}

    run(f"{vendor} backup", env)
    before = contents(env["DATABASE_URL"])
    run(f"{vendor} restore", env)
    after = contents(env["NEW_DATABASE_URL"])
    assert len(before) > 40
    assert len(before["audit_logs"]) > 20
    assert after == before
    files = {
        path.relative_to(new): path.read_bytes() for path in (new / "media").rglob("*") if path.is_file()
    }
    assert list(files.values()) == [SOUND]
    if vendor == "postgresql":  # the same commands on either; each takes a process and its seconds
        run("look", env)
