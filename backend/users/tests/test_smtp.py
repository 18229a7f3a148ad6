"""Mail through a real SMTP conversation (RFC 5321), with a server that is away, busy, or says no."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from common import clock
from users import links, mailing
from users.models import OutgoingMail
from users.tests.support import token_in

pytestmark = pytest.mark.django_db


class Server(socketserver.ThreadingTCPServer):
    """Answers each command with what `answers` says of it, and keeps the mails that it took."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, answers: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.answers = {"EHLO": "250 here", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on"} | answers
        self.taken: list[str] = []


class Conversation(socketserver.StreamRequestHandler):
    """One connection."""

    server: Server

    def say(self, line: str) -> None:
        """One line of ours."""
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        """Talks until QUIT."""
        self.say(self.server.answers.get("greeting", "220 here"))
        while line := self.rfile.readline():
            command = line[:4].decode().upper()
            if command == "QUIT":
                return self.say("221 bye")
            self.say(self.server.answers.get(command, "250 ok"))
            if command == "DATA" and self.server.answers["DATA"].startswith("3"):
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.taken.append(b"".join(lines).decode())
                self.say(self.server.answers.get("taken", "250 taken"))
        return None


@pytest.fixture
def serve(settings: Any) -> Iterator[Any]:
    """`serve(RCPT="550 no")` starts such a server, and makes it ours."""
    running: list[Server] = []

    def start(**answers: str) -> Server:
        server = Server(answers)
        running.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address[:2]
        settings.EMAIL_USE_TLS = False
        settings.EMAIL_TIMEOUT = 10
        return server

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def owed(address: str) -> OutgoingMail:
    return OutgoingMail.objects.create(kind="password_reset", address=address)


def test_a_mail_arrives_whole(shop: Any, serve: Any) -> None:
    server = serve()
    waiting = owed(shop.admin.email)
    now = clock.now()
    mailing.deliver(mail_id=waiting.pk, now=now)
    (mail,) = server.taken
    head, _, body = mail.partition("\r\n\r\n")
    assert f"To: {shop.admin.email}" in head
    assert "Content-Type: text/plain" in head
    assert links.person_behind(token_in(body), links.PASSWORD_RESET, now=now) == shop.admin
    assert not OutgoingMail.objects.exists()


@pytest.mark.parametrize(
    "answers",
    [
        {"greeting": "421 too busy"},
        {"greeting": "what?"},
        {"MAIL": "451 try later"},
        {"RCPT": "550 no such person"},
        {"DATA": "452 full"},
        {"taken": "554 this looks like spam"},
    ],
    ids=lambda answers: " ".join(next(iter(answers.items()))),
)
def test_a_server_that_says_no_loses_no_mail(answers: dict[str, str], shop: Any, serve: Any) -> None:
    serve(**answers)
    mail = owed(shop.admin.email)
    mailing.deliver(mail_id=mail.pk, now=clock.now())
    mail.refresh_from_db()
    assert mail.attempts == 1
    server = serve()
    mailing.deliver(mail_id=mail.pk, now=mail.due_at)
    assert len(server.taken) == 1
    assert not OutgoingMail.objects.exists()


def test_a_server_that_is_away(shop: Any, serve: Any) -> None:
    gone = serve()
    gone.shutdown()
    gone.server_close()
    mail = owed(shop.admin.email)
    mailing.deliver(mail_id=mail.pk, now=clock.now())
    mail.refresh_from_db()
    assert mail.attempts == 1
