"""One attempt against real sockets: who is connected to, under which name, what is not followed, read or awaited."""

from __future__ import annotations

import datetime
import socket
import ssl
import time
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from common import clock
from testing.servers import free_port
from webhooks import sending
from webhooks.sending import Parcel
from webhooks.tests.receiver import Receiver, receiving, status


def parcel(url: str, **headers: str) -> Parcel:
    return Parcel(url=url, headers={"webhook-id": "msg_1", **headers}, body=b'{"a":1}')


def names(monkeypatch: pytest.MonkeyPatch, **table: Any) -> list[str]:
    """Lets host names lead to these addresses, a list or a function that is asked each time; returns what was asked."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        known = table.get(host.replace(".", "_"), [host])
        return known() if callable(known) else known

    monkeypatch.setattr(sending, "resolve", resolve)
    return asked


def test_what_is_sent(receiver: Receiver) -> None:
    receiver.will(status(200, b"thanks\x00"))
    answer = sending.send(parcel(receiver.url))
    assert (answer.arrived, answer.status, answer.body, answer.error) == (True, 200, "thanks", "")
    [request] = receiver.received
    assert (request.path, request.body) == ("/hook?shop=7", b'{"a":1}')
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert request.headers["webhook-id"] == "msg_1"
    assert request.headers["user-agent"] == sending.USER_AGENT
    assert "cookie" not in request.headers


@pytest.mark.parametrize(
    ("code", "error_code", "sentence"),
    [
        (200, "", ""),
        (299, "", ""),
        (404, "http_status", "It was answered with 404 Not Found, which is no 2xx."),
        (599, "http_status", "It was answered with 599, which is no 2xx."),
        (302, "redirected", sending.ERRORS["redirected"]),
        (304, "redirected", sending.ERRORS["redirected"]),
    ],
)
def test_what_an_answer_means(receiver: Receiver, code: int, error_code: str, sentence: str) -> None:
    receiver.will(code)
    answer = sending.send(parcel(receiver.url))
    assert (answer.status, answer.error_code, answer.error) == (code, error_code, sentence)


def test_no_redirect_is_followed(receiver: Receiver) -> None:
    with receiving() as inner:
        receiver.will(status(307, Location=inner.url), status(301, Location=inner.url))
        for _ in range(2):
            assert sending.send(parcel(receiver.url)).error_code == "redirected"
        assert inner.received == []


def test_no_proxy_of_the_environment_is_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert sending.send(parcel(receiver.url)).arrived


# --- which address ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1", "169.254.169.254", "[64:ff9b::7f00:1]"]
)
def test_a_private_address_is_not_connected_to(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *args, **kwargs: pytest.fail("connected"))
    answer = sending.send(parcel(f"https://{host}:8443/"))
    assert (answer.status, answer.error_code) == (None, "target_refused")


def test_localhost_is_looked_up_and_refused() -> None:
    assert sending.send(parcel("https://localhost:8443/")).error_code == "target_refused"


def test_a_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, two_example=["8.8.8.8", "10.0.0.1"])
    assert sending.send(parcel("https://two.example/")).error_code == "target_refused"


def test_the_address_that_was_looked_at_is_the_one_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: a name that answers otherwise the second time is not asked a second time, by anybody."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    asked = names(monkeypatch, rebinds_example=lambda: next(answers))
    genuine = socket.getaddrinfo

    def numeric_only(host: Any, *args: Any, **kwargs: Any) -> Any:
        ip_address(host)  # raises for a name: the transport must be given an address
        return genuine(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", numeric_only)
    url = f"http://rebinds.example:{receiver.port}/x"
    assert sending.send(parcel(url)).arrived
    assert asked == ["rebinds.example"]
    assert receiver.received[0].headers["host"] == f"rebinds.example:{receiver.port}"
    assert sending.send(parcel(url)).error_code == "target_refused", "looked at anew at every attempt"


def test_the_next_address_is_tried_when_one_refuses(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, many_example=["127.0.0.2", "127.0.0.1"])
    assert sending.send(parcel(f"http://many.example:{receiver.port}/")).arrived
    assert len(receiver.received) == 1


def test_a_name_that_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    assert sending.send(parcel("https://nowhere.example/")).error_code == "name_unknown"


def test_a_resolver_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(*args: Any, **kwargs: Any) -> Any:
        time.sleep(3)
        raise OSError

    monkeypatch.setattr(sending, "CONNECT_S", 0.1)
    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    began = time.monotonic()
    assert sending.send(parcel("https://slow.example/")).error_code == "name_unknown"
    assert time.monotonic() - began < 2


def test_nobody_listens(receiver: Receiver) -> None:
    answer = sending.send(parcel(f"http://127.0.0.1:{free_port()}/"))
    assert (answer.status, answer.error_code) == (None, "connect_failed")


# --- how long, how much ----------------------------------------------------------------------------------


def drips(handler: Any) -> None:
    """A byte of header now and then: every single read is quick, the whole never ends."""
    try:
        for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 1000:
            handler.wfile.write(bytes([byte]))
            time.sleep(0.05)
    except OSError:
        handler.close_connection = True


def body_never_ends(handler: Any) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b"x" * 65536)
    except OSError:
        handler.close_connection = True


def body_never_comes(handler: Any) -> None:
    handler.send_response(503)
    handler.send_header("Content-Length", "10")
    handler.end_headers()
    time.sleep(1.5)


def no_http(handler: Any) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")


@pytest.mark.parametrize(
    ("answers", "status_code", "error_code"),
    [
        (lambda handler: time.sleep(1.5), None, "timeout"),
        (drips, None, "timeout"),
        (body_never_comes, 503, "http_status"),
        (body_never_ends, 200, ""),
        (no_http, None, "broken_answer"),
    ],
    ids=["silent", "drips", "status, no body", "endless", "no HTTP"],
)
def test_an_attempt_ends(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, answers: Any, status_code: Any, error_code: str
) -> None:
    monkeypatch.setattr(sending, "WHOLE_S", 0.5)
    receiver.will(answers)
    began = time.monotonic()
    answer = sending.send(parcel(receiver.url))
    assert time.monotonic() - began < 10
    assert (answer.status, answer.error_code) == (status_code, error_code)
    assert len(answer.body) <= sending.MOST_READ


def test_a_compressed_answer_is_not_unpacked(receiver: Receiver) -> None:
    receiver.will(status(200, b"\x1f\x8b" + b"\x00" * 20, Content_Encoding="gzip"))
    answer = sending.send(parcel(receiver.url))
    assert (answer.arrived, answer.status) == (True, 200)
    assert receiver.received[0].headers["accept-encoding"] == "identity"


# --- TLS -------------------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Any:
    """A certificate for shop.example that is its own authority, and a receiver's context with it."""
    settings.WEBHOOK_NETWORKS = (ip_network("127.0.0.0/8"),)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example")])
    now = clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("shop.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    place = tmp_path / "shop.pem"
    place.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place)
    trusting = ssl.create_default_context(cafile=str(place))
    monkeypatch.setattr(sending, "trusted", lambda: trusting)
    return context


def test_the_certificate_is_the_name_s(authority: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, shop_example=["127.0.0.1"], other_example=["127.0.0.1"])
    asked_for: list[str | None] = []
    authority.sni_callback = lambda sock, name, context: asked_for.append(name)
    with receiving(authority) as receiver:
        assert sending.send(parcel(f"https://shop.example:{receiver.port}/")).arrived
        assert receiver.received[0].headers["host"] == f"shop.example:{receiver.port}"
        wrong = sending.send(parcel(f"https://other.example:{receiver.port}/"))
        bare = sending.send(parcel(f"https://127.0.0.1:{receiver.port}/"))
        assert (wrong.error_code, bare.error_code) == ("tls_failed", "tls_failed")
        assert len(receiver.received) == 1
    assert asked_for[:2] == ["shop.example", "other.example"]


def test_an_authority_that_nobody_knows(authority: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, shop_example=["127.0.0.1"])
    monkeypatch.undo()
    monkeypatch.setattr(sending, "resolve", lambda host, port: ["127.0.0.1"])
    with receiving(authority) as receiver:
        answer = sending.send(parcel(f"https://shop.example:{receiver.port}/"))
        assert (answer.error_code, receiver.received) == ("tls_failed", [])
