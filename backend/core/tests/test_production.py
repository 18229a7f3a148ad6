"""The production footprint as real processes: two web servers, a worker, a beat, PostgreSQL and Valkey.

What one web server is asked for, the worker prepares and a speaker at the other web server plays.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from deploy.stack import PROCESSES

from common.environment import S3
from common.tests.sounds import sound
from core.tests import long_job
from core.tests.processes import PATIENCE_S, ROOT, SERVE, environment, running, until
from testing import s3, servers

pytestmark = pytest.mark.system

CELERY = [sys.executable, "-m", "celery", "-A", "core"]
MANAGE = SERVE[:2]


@pytest.fixture
def production(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of every process, with both servers running and the database migrated."""
    with servers.running() as started:
        env = environment(
            tmp_path / "data",
            DATABASE_URL=started.database_url,
            REDIS_URL=started.redis_url,
            SECRET_KEY=secrets.token_urlsafe(50),
            ENCRYPTION_KEYS=Fernet.generate_key().decode(),
            METRICS_TOKEN="m",
            PYTHONUNBUFFERED="1",
            PYTHONPATH=str(ROOT / "player" / "src"),
        )
        subprocess.run([*MANAGE, "migrate", "--verbosity=0"], env=env, check=True, timeout=PATIENCE_S)
        yield env


def test_processes_share_the_work(production: dict[str, str], bucket: S3, tmp_path: Path) -> None:
    """With media in a bucket: the worker puts the sound there, and the speaker fetches the second half of it."""
    production |= s3.environment_of(bucket) | {"USE_S3": "True"}
    with ExitStack() as stack:

        def start(name: str, command: list[str], ready: str, **more: str) -> re.Match[str]:
            log = tmp_path / f"{name}.log"
            return stack.enter_context(running(command, log, ready, production | more))

        here, there = (start(name, SERVE, r"serves at (\S+)")[1] for name in ("web1", "web2"))
        jobs = [*CELERY, "worker", "--hostname=jobs@%h", "--concurrency=1", "--include=core.tests.long_job"]
        start("worker", jobs, r"\bready\b")
        start("ticks", PROCESSES["ticks"], r"\bready\b")
        start("beat", [*CELERY, "beat"], "beat")
        worker = tmp_path / "worker.log"
        health = lambda: httpx.get(f"{here}/health/ready", timeout=PATIENCE_S)  # noqa: E731
        until(lambda: health().status_code == 200, lambda: health().text + worker.read_text())
        assert all(line.startswith("{") for line in worker.read_text().splitlines() if "schedules" in line)

        owner = {"business_name": "Shop", "name": "Olivia", "email": "o@shop.example", "telephone": "1"}
        http = httpx.Client(base_url=f"{here}/api", timeout=PATIENCE_S)

        def ask(path: str, body: dict[str, Any]) -> Any:
            answer = http.post(path, json=body)
            assert answer.is_success, answer.text
            return answer.json()

        access = ask("/auth/register/", owner | {"password": "three words are enough"})["access"]
        http.headers["Authorization"] = f"Bearer {access}"
        floor = ask("/floors/", {"name": "Ground"})["id"]
        device = ask("/devices/", {"name": "Till", "floor": floor})
        http.headers["X-Request-ID"] = "order-from-the-test"
        words = ask("/announcements/tts/generate/", {"title": "T", "text": "Good morning to you."})["id"]
        del http.headers["X-Request-ID"]

        def status(path: str) -> str:
            return str(http.get(path).json()["status"])

        until(lambda: status(f"/announcements/{words}/") == "ready", worker.read_text)
        with BytesIO(sound()) as file:
            song = http.post("/music/upload/", files={"file": file}).json()["id"]
        until(lambda: status(f"/music/{song}/") == "ready", worker.read_text)
        spoken = http.get(f"/announcements/{words}/").json()
        link = httpx.get(f"{here}{spoken['audio_url']}").headers["location"]
        assert link.startswith(f"{bucket.endpoint_url}/{bucket.bucket}/announcements/")
        whole = httpx.get(link)
        half, etag = len(whole.content) // 2, whole.headers["etag"]
        rest = httpx.get(link, headers={"Range": f"bytes={half}-", "If-Range": etag})
        assert (rest.status_code, rest.content) == (206, whole.content[half:])

        state = tmp_path / "speaker"
        cache = state / "cache"
        cache.mkdir(parents=True)
        (cache / f"{spoken['sha256']}.part").write_bytes(whole.content[:half])  # cut off there the last time
        (cache / f"{spoken['sha256']}.etag").write_text(etag)
        speaker = [sys.executable, "-m", "sync2gear_player", "--server", there, "--state", str(state)]
        start("speaker", [*speaker, "--output", "null"], "this is", SYNC2GEAR_TOKEN=device["token"])
        until(lambda: status(f"/devices/{device['id']}/") == "online", (tmp_path / "speaker.log").read_text)

        # While it is being fetched it may be joined in the middle, on a busy machine; then it is there.
        for ends in ({"completed", "failed"}, {"completed"}):
            (event,) = ask(f"/announcements/{words}/play/", {"devices": [device["id"]]})["events"]
            path = f"/play-events/{event['id']}/"
            until(lambda: status(path) in ends, lambda: http.get(path).text)  # noqa: B023  # asked within the turn
        assert (cache / spoken["sha256"]).read_bytes() == whole.content

        def lines(name: str, logger: str) -> list[dict[str, Any]]:
            """What this process has told by that logger."""
            told = (tmp_path / f"{name}.log").read_text().splitlines()
            return [
                line
                for text in told
                if text.startswith("{")
                if (line := json.loads(text))["logger"] == logger
            ]

        (asked,) = [
            line
            for line in lines("web1", "sync2gear.requests")
            if line["request_id"] == "order-from-the-test"
        ]
        assert asked["actor"] == "o@shop.example"
        assert asked["client"]
        (done,) = [
            line for line in lines("worker", "sync2gear.jobs") if line["request_id"] == "order-from-the-test"
        ]
        assert done["task"].startswith("announcements.")
        assert (len(done["task_id"]), done["outcome"]) == (36, "done")
        here_line = lines("web2", "sync2gear.sockets")[0]
        assert (here_line["device"], here_line["client"]) == (device["id"], asked["client"])

        def figures() -> str:
            page = httpx.get(f"{here}/metrics", headers={"Authorization": "Bearer m"}, timeout=PATIENCE_S)
            return page.text if page.status_code == 200 else ""

        # Counted in three processes, told by one.
        counted = r'plays_ended_total\{priority="instant",reason="",status="completed"\} [12]\.0'
        sockets = r"sync2gear_sockets 1\.0"
        speech = r'job_seconds_count\{outcome="done",task="announcements\.'
        until(lambda: all(re.search(each, figures()) for each in (counted, sockets, speech)), figures)

        long_job.delays_no_tick(production["REDIS_URL"], tmp_path, (tmp_path / "ticks.log").read_text)


def test_several_processes_share_a_port_and_are_replaced(production: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "web.log"

    def served_by(url: str) -> set[int]:
        """The processes that have answered, after some more requests."""
        for _ in range(20):
            assert httpx.get(f"{url}/api/auth/me/", timeout=PATIENCE_S).status_code == 401
        lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
        return {line["process"] for line in lines if line.get("path") == "/api/auth/me/"}

    with running(SERVE, log, r"serves at (\S+)", production | {"WEB_CONCURRENCY": "2"}) as said_:
        url = said_[1]
        first = until(lambda: len(found := served_by(url)) == 2 and found, log.read_text)
        os.kill(min(first), signal.SIGKILL)
        until(lambda: not Path(f"/proc/{min(first)}").exists(), log.read_text)
        second = until(lambda: len(found := served_by(url) - first) == 1 and found, log.read_text)
        supervisor = int(Path(f"/proc/{max(first)}/stat").read_text().rsplit(")", 1)[1].split()[1])
        os.kill(supervisor, signal.SIGHUP)
        until(lambda: len(served_by(url) - first - second) == 2, log.read_text)


def test_daphne_serves_it_too(production: dict[str, str], tmp_path: Path) -> None:
    port = servers.free_port()
    daphne = [sys.executable, "-m", "daphne", "-p", str(port), "core.asgi:application"]
    with running(daphne, tmp_path / "daphne.log", "Listening on TCP", production):
        answer = httpx.get(f"http://127.0.0.1:{port}/api/auth/me/")
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("SECRET_KEY", "SECRET_KEY is required in production"),
        ("ENCRYPTION_KEYS", "There is no key to encrypt secrets with."),
        ("DATABASE_URL", "Redis and Celery mean several processes, and SQLite serves one."),
    ],
)
def test_what_is_missing_is_told(missing: str, sentence: str, tmp_path: Path) -> None:
    env = environment(
        tmp_path,
        DATABASE_URL="postgresql://u@h/d",
        REDIS_URL="redis://h/0",
        SECRET_KEY="k" * 50,
        ENCRYPTION_KEYS="k",
    )
    del env[missing]
    done = subprocess.run(SERVE, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1
