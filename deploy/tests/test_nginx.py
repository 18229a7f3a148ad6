"""nginx with `deploy/nginx`'s configuration in front of two real web servers: `make proxy`, where nginx is installed.

TLS with a certificate made for the test, a real speaker, an upload, and media that nginx itself sends.
"""

from __future__ import annotations

import json
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from threading import Event, Thread
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from common.audio.encode import write_audio
from common.audio.synth import RATE, demo_track
from core.tests.processes import PATIENCE_S, ROOT, SERVE, environment, running, until
from testing import servers

TEMPLATE = ROOT / "deploy" / "nginx" / "sync2gear.conf.template"
CELERY = [sys.executable, "-m", "celery", "-A", "core"]


@dataclass
class Site:
    """What stands behind `url`, and how to stop and start a part of it."""

    folder: Path
    env: dict[str, str]
    https: int = field(default_factory=servers.free_port)
    http: int = field(default_factory=servers.free_port)
    web: tuple[int, int] = field(default_factory=lambda: (servers.free_port(), servers.free_port()))
    _started: dict[int, ExitStack] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where people and speakers go."""
        return f"https://localhost:{self.https}"

    def log(self, name: str) -> str:
        """What a process has said."""
        return (self.folder / f"{name}.log").read_text()

    def start(self, number: int) -> None:
        """Starts one of the two web servers, and waits until it serves."""
        more = {"PORT": str(self.web[number]), "PUBLIC_URL": self.url}
        log = self.folder / f"web{number}.log"
        self._started[number] = ExitStack()
        self._started[number].enter_context(running(SERVE, log, "serves at", self.env | more))

    def stop(self, number: int) -> None:
        """Stops it; it has to end well."""
        self._started.pop(number).close()

    def client(self, **more: Any) -> httpx.Client:
        """An HTTP client that knows the certificate."""
        context = ssl.create_default_context(cafile=str(self.folder / "certificate.pem"))
        return httpx.Client(base_url=self.url, verify=context, timeout=PATIENCE_S, **more)


@contextmanager
def nginx(site: Site) -> Iterator[None]:
    """The configuration as an operator fills it in, below a main file as small as Debian's and the image's are."""
    filled = {
        "SERVER_NAME": "localhost",
        "HTTP_PORT": site.http,
        "HTTPS_PORT": site.https,
        "TLS_CERTIFICATE": site.folder / "certificate.pem",
        "TLS_KEY": site.folder / "key.pem",
        "ACME_FOLDER": site.folder,
        "MEDIA_FOLDER": site.folder / "data" / "media",
        "WEB_1": f"127.0.0.1:{site.web[0]}",
        "WEB_2": f"127.0.0.1:{site.web[1]}",
    }
    text = Template(TEMPLATE.read_text())
    assert {name for name in text.get_identifiers() if name.isupper()} == set(filled)
    conf = text.safe_substitute({name: str(value) for name, value in filled.items()})
    (site.folder / "sync2gear.conf").write_text(conf.replace("/dev/stdout", str(site.folder / "access.log")))
    temporary = "".join(
        f"{kind}_temp_path {site.folder}/{kind}; "
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = site.folder / "nginx.conf"
    main.write_text(
        f"daemon off; user root; worker_processes 2; pid {site.folder}/nginx.pid;\n"
        f"error_log {site.folder}/error.log warn; events {{}}\n"
        f"http {{ {temporary} default_type application/octet-stream; include sync2gear.conf; }}\n"
    )
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/opt/homebrew/bin") or "nginx"
    command = [program, "-e", str(site.folder / "error.log"), "-c", str(main)]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    with subprocess.Popen(command) as process:
        try:
            until(lambda: answers(site.https), lambda: site.log("error"), alive=process)
            yield
            process.send_signal(signal.SIGQUIT)
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()
    # What was written to disk on its way through would be told here.
    assert not [line for line in site.log("error").splitlines() if "temporary file" in line]


def answers(port: int) -> bool:
    """Whether somebody listens."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Everything runs."""
    folder = tmp_path_factory.mktemp("site")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", folder / "key.pem", "-out", folder / "certificate.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    with ExitStack() as stack:
        started = stack.enter_context(servers.running())
        env = environment(
            folder / "data",
            DATABASE_URL=started.database_url,
            REDIS_URL=started.redis_url,
            SECRET_KEY=secrets.token_urlsafe(50),
            ENCRYPTION_KEYS=Fernet.generate_key().decode(),
            ALLOWED_HOSTS="localhost",
            TRUSTED_PROXIES="1",
            MEDIA_ACCEL_PREFIX="/protected/",
            MAX_UPLOAD_MB="8",
            CORS_ORIGINS="https://dashboard.example",
            PYTHONUNBUFFERED="1",
            PYTHONPATH=str(ROOT / "player" / "src"),
        )
        for command in (["migrate", "--verbosity=0"], ["collectstatic", "--noinput", "--verbosity=0"]):
            subprocess.run([*SERVE[:2], *command], env=env, check=True, timeout=PATIENCE_S)
        site = Site(folder, env)
        worker = [*CELERY, "worker", "--concurrency=1"]
        stack.enter_context(running(worker, folder / "worker.log", "ready", env))
        stack.enter_context(running([*CELERY, "beat"], folder / "beat.log", "beat", env))
        for number in (0, 1):
            site.start(number)
            stack.callback(site.stop, number)
        stack.enter_context(nginx(site))
        yield site


@pytest.fixture(scope="module")
def owner(site: Site) -> Iterator[httpx.Client]:
    """Somebody with a business of their own."""
    with site.client() as http:
        me = {"business_name": "Shop", "name": "Olivia", "email": "o@shop.example", "telephone": "1"}
        answer = http.post("/api/auth/register/", json=me | {"password": "three words are enough"})
        assert answer.status_code == 201, answer.text
        http.headers["Authorization"] = f"Bearer {answer.json()['access']}"
        yield http


@pytest.fixture(scope="module")
def track(site: Site, owner: httpx.Client) -> tuple[bytes, dict[str, Any]]:
    """An uploaded track, ready: its bytes as they are stored, and its row."""
    path = site.folder / "track.wav"
    write_audio(path, demo_track(0, 20), RATE, "wav")
    assert 1024 * 1024 < path.stat().st_size < 8 * 1024 * 1024
    with path.open("rb") as file:
        answer = owner.post("/api/music/upload/", files={"file": ("track.wav", file)})
    assert answer.is_success, answer.text
    place = f"/api/music/{answer.json()['id']}/"
    row = until(lambda: (r := owner.get(place).json())["status"] == "ready" and r, lambda: site.log("worker"))
    return path.read_bytes(), row


def test_plain_http_leads_to_https(site: Site) -> None:
    answer = httpx.get(f"http://localhost:{site.http}/admin/?a=b")
    assert (answer.status_code, answer.headers["Location"]) == (308, "https://localhost/admin/?a=b")
    assert httpx.get(f"http://localhost:{site.http}/api/auth/me/").status_code == 403


@pytest.mark.parametrize(("offered", "chosen"), [(["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1")])
def test_http2_is_spoken(site: Site, offered: list[str], chosen: str) -> None:
    context = ssl.create_default_context(cafile=str(site.folder / "certificate.pem"))
    context.set_alpn_protocols(offered)
    with (
        socket.create_connection(("localhost", site.https)) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as secure,
    ):
        assert secure.selected_alpn_protocol() == chosen


def test_the_application_knows_who_asks_and_that_it_is_tls(site: Site, owner: httpx.Client) -> None:
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http", "X-Request-ID": "who-asks-what"}
    answer = owner.get("/api/auth/me/", headers=forged)
    assert answer.status_code == 200, "without X-Forwarded-Proto it would lead to HTTPS for ever"
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    told = [
        json.loads(line) for line in (site.log("web0") + site.log("web1")).splitlines() if line[:1] == "{"
    ]
    (line,) = [line for line in told if line.get("request_id") == "who-asks-what"]
    assert line["address"] == "127.0.0.1"
    assert owner.get("/api/auth/me/", headers={"Host": "evil.example"}).status_code == 400


def test_what_is_for_the_inside_stays_there(site: Site, owner: httpx.Client, track: Any) -> None:
    assert owner.get("/metrics").status_code == 404
    stored = next((site.folder / "data" / "media").rglob("*.wav"), None) or next(
        path for path in (site.folder / "data" / "media").rglob("*") if path.is_file()
    )
    inside = stored.relative_to(site.folder / "data" / "media")
    assert owner.get(f"/protected/{inside}").status_code == 404
    assert owner.get("/protected/../../key.pem").status_code == 404


def test_media_are_sent_by_nginx_as_the_application_would(
    site: Site, owner: httpx.Client, track: Any
) -> None:
    data, row = track
    place = f"/api/music/{row['id']}/stream/"
    origin = {"Origin": "https://dashboard.example"}
    whole = owner.get(place, headers=origin)
    assert (whole.status_code, whole.content) == (200, data)
    headers = whole.headers
    etag = headers["ETag"]
    assert len(etag) == 66, "the hash of the content, not nginx's own"
    assert headers["Content-Type"] == "audio/wav"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "private, no-cache"
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["Access-Control-Allow-Origin"] == origin["Origin"]
    assert "filename" in headers["Content-Disposition"]
    assert "Last-Modified" not in headers

    direct = httpx.get(
        f"http://127.0.0.1:{site.web[0]}{place}",
        headers={
            "Authorization": owner.headers["Authorization"],
            "Host": "localhost",
            "X-Forwarded-Proto": "https",
        },
    )
    assert direct.content == b""
    assert direct.headers["X-Accel-Redirect"].startswith("/protected/music/")
    assert "X-Accel-Redirect" not in headers
    with_us = {name.lower() for name in direct.headers} - {"x-accel-redirect", "server", "date", "connection"}
    assert with_us - {name.lower() for name in headers} == set(), "no header of the application's is lost"

    size = len(data)
    for asked, status, start, stop in [
        ({"Range": "bytes=10-19"}, 206, 10, 20),
        ({"Range": "bytes=-7"}, 206, size - 7, size),
        ({"Range": "bytes=10-19", "If-Range": etag}, 206, 10, 20),
        ({"Range": "bytes=10-19", "If-Range": '"other"'}, 200, 0, size),
        ({"Range": "bytes=10-19", "If-Match": etag}, 206, 10, 20),
        ({"If-None-Match": etag}, 304, 0, 0),
        ({"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}, 200, 0, size),
    ]:
        answer = owner.get(place, headers=asked)
        assert (answer.status_code, answer.content) == (status, data[start:stop]), asked
        assert answer.headers["ETag"] == etag
        if status == 206:
            assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{size}"
    beyond = owner.get(place, headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    assert owner.head(place).headers["Content-Length"] == str(size)


def test_an_upload_that_is_too_large_is_told_by_the_application(owner: httpx.Client) -> None:
    answer = owner.post("/api/music/upload/", files={"file": ("big.wav", bytes(9 * 1024 * 1024))})
    assert (answer.status_code, answer.json()["code"]) == (400, "too_large")


def test_the_log_has_no_signature(site: Site, owner: httpx.Client) -> None:
    owner.get("/media/music/1/abc", params={"e": "1", "s": "a-signature"})
    lines = [json.loads(line) for line in site.log("access").splitlines()]
    assert "/media/music/1/abc" in {line["path"] for line in lines}
    assert "a-signature" not in site.log("access")


def test_a_speaker_and_people_ride_over_restarts_of_the_servers(site: Site, owner: httpx.Client) -> None:
    floor = owner.post("/api/floors/", json={"name": "Ground"}).json()["id"]
    device = owner.post("/api/devices/", json={"name": "Till", "floor": floor}).json()
    words = owner.post(
        "/api/announcements/tts/generate/", json={"title": "T", "text": "Good morning."}
    ).json()["id"]
    speaker = [
        sys.executable, "-m", "sync2gear_player", "--server", site.url, "--output", "null",
        "--state", str(site.folder / "speaker"),
    ]  # fmt: skip
    env = site.env | {
        "SYNC2GEAR_TOKEN": device["token"],
        "SSL_CERT_FILE": str(site.folder / "certificate.pem"),
    }

    def online() -> bool:
        return str(owner.get(f"/api/devices/{device['id']}/").json()["status"]) == "online"

    def heard() -> None:
        answer = owner.post(f"/api/announcements/{words}/play/", json={"devices": [device["id"]]})
        (event,) = answer.json()["events"]
        place = f"/api/play-events/{event['id']}/"
        until(lambda: owner.get(place).json()["status"] == "completed", lambda: owner.get(place).text)

    with running(speaker, site.folder / "speaker.log", "this is", env):
        until(online, lambda: site.log("speaker"))
        until(
            lambda: owner.get(f"/api/announcements/{words}/").json()["status"] == "ready",
            lambda: site.log("worker"),
        )
        heard()
        stop, statuses = Event(), set[int]()

        def ask() -> None:
            with site.client(headers={"Authorization": owner.headers["Authorization"]}) as http:
                while not stop.is_set():
                    statuses.add(http.get("/api/auth/me/").status_code)
                    statuses.add(http.post("/api/auth/refresh/", json={"refresh": "x"}).status_code)

        asking = Thread(target=ask)
        asking.start()
        for number in (0, 1):
            site.stop(number)
            site.start(number)
        stop.set()
        asking.join()
        assert statuses == {200, 401}
        heard()
