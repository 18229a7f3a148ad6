"""What lets one in is in no log, whatever is logged: a server that tells all, and every journey that holds a secret.

JSON says all that plain lines say, and each record's `extra` and traceback besides; so JSON is what is looked at.
"""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from core.celery import app
from core.tests.processes import PATIENCE_S, ROOT, SERVE, environment, running, until
from testing.servers import free_port

ADMIN = {"email": "admin@sync2gear.example", "password": "the-first-secret-of-all"}
PASSWORD, NEXT_PASSWORD = "olivia-keeps-this-one", "olivia-takes-another"
PROVIDER_KEY = "sk-0123456789abcdefghij"
TYPED = "typed-into-an-address"


class Journey:
    """Calls of one server, and every secret that was sent or received on the way."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=f"{url}/api", timeout=PATIENCE_S)
        self.url = url
        self.secrets = {ADMIN["password"], PASSWORD, NEXT_PASSWORD, PROVIDER_KEY, TYPED}

    def ask(self, method: str, path: str, body: Any = None, *, token: str = "", status: int) -> Any:
        """One call, which has to be answered so."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self.http.request(method, path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def keep(self, answer: dict[str, Any], *names: str) -> list[str]:
        """These members of an answer are secrets."""
        found = [str(answer[name]) for name in names]
        self.secrets.update(found)
        return found

    def sign_in(self) -> tuple[str, str]:
        """A business, its admin's tokens rotated once, and another password."""
        owner = {"business_name": "Shop", "name": "Olivia", "email": "o@shop.example", "telephone": "1"}
        session = self.ask("POST", "/auth/register/", owner | {"password": PASSWORD}, status=201)
        _, refresh = self.keep(session, "access", "refresh")
        access, refresh = self.keep(
            self.ask("POST", "/auth/refresh/", {"refresh": refresh}, status=200), "access", "refresh"
        )
        self.ask("POST", "/auth/login/", {"email": "o@shop.example", "password": TYPED}, status=401)
        self.ask("GET", f"/auth/me/?access={TYPED}", token=f"{access}x", status=401)
        self.ask("POST", "/auth/password-reset/", {"email": "o@shop.example"}, status=202)
        self.ask(
            "POST",
            "/auth/password-reset/confirm/",
            {"token": TYPED, "password": NEXT_PASSWORD},
            status=400,
        )
        change = {"current_password": PASSWORD, "password": NEXT_PASSWORD}
        access, refresh = self.keep(
            self.ask("PATCH", "/auth/me/", change, token=access, status=200), "access", "refresh"
        )
        self.ask("POST", "/auth/refresh/", {"refresh": f"{refresh}x"}, status=401)
        return access, refresh

    def provider(self) -> None:
        """An account at an AI provider that does not answer."""
        staff, _ = self.keep(self.ask("POST", "/auth/login/", ADMIN, status=200), "access", "refresh")
        body = {
            "name": "Away",
            "provider": "openai",
            "api_key": PROVIDER_KEY,
            "base_url": f"https://127.0.0.1:{free_port()}",
        }
        made = self.ask("POST", "/ai-providers/", body, token=staff, status=201)
        self.ask("POST", f"/ai-providers/{made['id']}/test/", token=staff, status=200)

    def webhook(self, access: str) -> None:
        """A webhook whose receiver does not answer."""
        where = f"http://127.0.0.1:{free_port()}/{TYPED}"
        body = {"url": where, "events": ["device.offline"]}
        made = self.ask("POST", "/webhooks/", body, token=access, status=201)
        self.keep(made, "secret")
        self.ask("POST", f"/webhooks/{made['id']}/test/", token=access, status=200)

    def speaker(self, access: str) -> None:
        """A speaker by its token, by a ticket, by a ticket again, and by a token that is none."""
        pairing = self.ask("POST", "/devices/pair/", {"hardware_id": "till"}, status=201)
        self.keep(pairing, "device_code")
        claim = {"user_code": pairing["user_code"], "name": "Till"}
        self.ask("POST", "/devices/claim/", claim, token=access, status=201)
        asked = {"device_code": pairing["device_code"]}
        paired = self.ask("POST", "/devices/pair/token/", asked, status=200)
        (token,) = self.keep(paired, "token")
        socket = f"{self.url.replace('http', 'ws', 1)}{paired['ws_path']}"
        with connect(socket, additional_headers={"Authorization": f"Bearer {token}"}) as ws:
            ws.send(json.dumps({"type": "status_update", "status": "idle"}))
        (ticket,) = self.keep(self.ask("POST", "/devices/ticket/", token=token, status=201), "ticket")
        for good in (True, False):
            with connect(socket, subprotocols=["sync2gear.v1", f"ticket.{ticket}"]) as ws:
                if good:
                    ws.send("no json")
                ws.recv(timeout=PATIENCE_S)
        wrong = {"Authorization": f"Bearer {TYPED}"}
        with (
            connect(f"{socket}?token={TYPED}", additional_headers=wrong) as ws,
            pytest.raises(ConnectionClosed),
        ):
            ws.recv(timeout=PATIENCE_S)

    def dashboard(self, access: str) -> None:
        """A page's socket by a ticket, and by the same ticket again."""
        (ticket,) = self.keep(self.ask("POST", "/auth/ws-ticket/", {}, token=access, status=201), "ticket")
        socket = f"{self.url.replace('http', 'ws', 1)}/ws/dashboard/"
        for greeting in ("welcome", "error"):
            with connect(socket, subprotocols=["sync2gear.dashboard.v1", f"ticket.{ticket}"]) as ws:
                if greeting == "welcome":  # who is refused may be gone before it could say anything
                    ws.send(json.dumps({"type": "hello"}))
                assert json.loads(ws.recv(timeout=PATIENCE_S))["type"] == greeting

    def sound(self, access: str) -> None:
        """A signed link."""
        answer = self.http.get(f"{self.url}/media/music/1/x?e=4000000000&s={TYPED}")
        assert answer.status_code == 403


@pytest.mark.system
def test_no_secret_is_in_a_log_that_says_everything(tmp_path: Path) -> None:
    log = tmp_path / "log"
    env = environment(
        tmp_path / "data",
        LOG_LEVEL="DEBUG",
        LOG_FORMAT="json",
        SYNC2GEAR_DEMO="0",
        SYNC2GEAR_ADMIN_PASSWORD=ADMIN["password"],
        EMAIL_HOST="127.0.0.1",  # printed mails hold their links
        EMAIL_PORT=str(free_port()),
        PUBLIC_URL="http://sound.example",
        WEBHOOK_NETWORKS="127.0.0.0/8",
        PYTHONPATH=str(ROOT / "player" / "src"),
    )
    with running(SERVE, log, r"serves at (\S+)", env) as said:
        journey = Journey(said[1])
        access, refresh = journey.sign_in()
        journey.provider()
        journey.webhook(access)
        journey.speaker(access)
        journey.dashboard(access)
        journey.sound(access)
        journey.ask("POST", "/auth/logout/", {"refresh": refresh}, token=access, status=204)
        until(lambda: "mail 1 was not taken" in log.read_text(), log.read_text)
    text = log.read_text()
    assert len(journey.secrets) > 15
    found = {secret: [line for line in text.splitlines() if secret in line] for secret in journey.secrets}
    assert {secret: lines for secret, lines in found.items() if lines} == {}
    assert text.count('"path": "/api/') > 15, "it does say what happened"


@pytest.mark.system
@pytest.mark.parametrize(
    "wrong",
    [
        {"DATABASE_URL": f"nosuchscheme://user:{TYPED}@h/d"},
        {
            "DATABASE_URL": f"postgresql://user:{TYPED}@127.0.0.1:1/d",
            "REDIS_URL": f"redis://:{TYPED}@127.0.0.1:1/0",
        },
        {"ENCRYPTION_KEYS": TYPED},
    ],
    ids=lambda wrong: ",".join(wrong),
)
def test_a_start_that_fails_names_no_password(wrong: dict[str, str], tmp_path: Path) -> None:
    more = {"SECRET_KEY": "k" * 50, "ENCRYPTION_KEYS": TYPED, "LOG_LEVEL": "DEBUG", **wrong}
    done = subprocess.run(
        [sys.executable, SERVE[1], "migrate"],
        env=environment(tmp_path, **more),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert TYPED not in done.stdout + done.stderr


def test_jobs_are_given_keys_and_nothing_else() -> None:
    """What a failed job was given is logged, and lies in the broker in plain text."""
    app.loader.import_default_modules()
    ours = [task for task in app.tasks.values() if not task.name.startswith(("celery.", "tests."))]
    assert len(ours) > 15
    for task in ours:
        for parameter in inspect.signature(task.run).parameters.values():
            assert parameter.annotation in {"int", "float", "list[int]"}, (task.name, parameter)
