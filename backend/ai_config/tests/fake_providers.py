"""A local server that speaks the providers' documented contracts, strictly, and goes wrong when told to.

One port serves all of them: their paths differ. A request that is not as documented is answered as the provider would
answer it, so that an adapter that strays from the contract fails its test.
"""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from common.tests.sounds import sound

KEY = "sk-a-key-of-the-tests-0042"
VOICES = {"elevenlabs": ("JBFqnCBsd6RMkjVDRZzb", "second"), "google": ("en-GB-Neural2-A", "de-DE-Neural2-F")}
COPY_TEXT = "Fresh bread is out of the oven. Come and taste it."


@dataclass
class Call:
    """One request as it came."""

    provider: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any


@dataclass
class Fault:
    """What goes wrong. `status` answers an error; else the answer is right but for `spoil`."""

    status: int = 0
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    spoil: str = ""


@dataclass
class Fake:
    """The server in the hands of a test. `fault_of` names what goes wrong by provider; "" stands for all."""

    url: str = ""
    key: str = KEY
    copy: Callable[[Call], str] = lambda call: COPY_TEXT
    audio: bytes = field(default_factory=lambda: sound(seconds=0.5))
    calls: list[Call] = field(default_factory=list)
    faults: dict[str, Fault] = field(default_factory=dict)
    gone_voices: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def asked(self, provider: str = "") -> list[Call]:
        """The requests to a provider, lists of voices aside."""
        return [
            call
            for call in self.calls
            if call.body is not None and (not provider or call.provider == provider)
        ]


def provider_of(path: str) -> str:
    """Whose contract this path belongs to."""
    if path.startswith(("/v1/text-to-speech/", "/v2/voices")):
        return "elevenlabs"
    if path in ("/v1/audio/speech", "/v1/chat/completions"):
        return "openai"
    if path in ("/v1/text:synthesize", "/v1/voices") or path.startswith("/v1beta/models/"):
        return "google"
    return "anthropic" if path == "/v1/messages" else ""


KEYS = {
    "elevenlabs": lambda headers: headers.get("xi-api-key"),
    "openai": lambda headers: headers.get("authorization", "").removeprefix("Bearer "),
    "google": lambda headers: headers.get("x-goog-api-key"),
    "anthropic": lambda headers: headers.get("anthropic-version") and headers.get("x-api-key"),
}
REFUSED = {
    "elevenlabs": (401, {"detail": {"status": "invalid_api_key", "message": "Invalid API key"}}),
    "openai": (
        401,
        {"error": {"message": "Incorrect API key provided: sk-a-key", "code": "invalid_api_key"}},
    ),
    "google": (
        400,
        {
            "error": {
                "code": 400,
                "message": "API key not valid.",
                "status": "INVALID_ARGUMENT",
                "details": [{"reason": "API_KEY_INVALID"}],
            }
        },
    ),
    "anthropic": (
        401,
        {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}},
    ),
}


class Wrong(Exception):
    """The request is not as documented."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status, self.body = status, body


def need(condition: Any, what: str) -> None:
    """Refuses what the documentation does not allow."""
    if not condition:
        raise Wrong(400, {"error": {"message": what, "type": "invalid_request_error"}})


def answer(fake: Fake, call: Call) -> tuple[str, bytes, dict[str, str]]:
    """Content type, body and headers of the right answer."""
    body = call.body
    if call.path.startswith("/v1/text-to-speech/"):
        need(isinstance(body.get("text"), str) and body["text"], "text")
        need(body.get("model_id"), "model_id")
        need(call.query.get("output_format") == ["mp3_44100_128"], "output_format")
        voice = call.path.rpartition("/")[2]
        if voice not in VOICES["elevenlabs"] or voice in fake.gone_voices:
            raise Wrong(404, {"detail": {"status": "voice_not_found", "message": f"Voice {voice}"}})
        return "audio/mpeg", fake.audio, {"character-cost": str(len(body["text"]))}
    if call.path == "/v2/voices":
        page = int(call.query.get("next_page_token", ["0"])[0])
        name = VOICES["elevenlabs"][page]
        listed = [{"voice_id": name, "name": f"Voice {page}", "labels": {"gender": "female", "accent": "x"}}]
        more = page + 1 < len(VOICES["elevenlabs"])
        following = {"has_more": more, "next_page_token": str(page + 1) if more else None}
        return as_json({"voices": listed, "total_count": 2} | following)
    if call.path == "/v1/audio/speech":
        need(body.get("model") and len(body.get("input", "")) in range(1, 4097), "model, input")
        need(body.get("response_format") == "mp3", "response_format")
        if body.get("voice") in fake.gone_voices or not body.get("voice", "").isalpha():
            raise Wrong(
                400, {"error": {"message": "no such voice", "param": "voice", "code": "invalid_value"}}
            )
        return "audio/mpeg", fake.audio, {}
    if call.path == "/v1/chat/completions":
        need([message["role"] for message in body["messages"]] == ["system", "user"], "messages")
        need(isinstance(body["max_completion_tokens"], int) and body["model"], "model")
        usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
        message = {"role": "assistant", "content": fake.copy(call)}
        return as_json({"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage})
    if call.path == "/v1/text:synthesize":
        need(len(body["input"]["text"].encode()) in range(1, 5001), "input")
        need(body["audioConfig"] == {"audioEncoding": "MP3"} and body["voice"]["languageCode"], "voice")
        name = body["voice"].get("name", "")
        if name in fake.gone_voices:
            raise Wrong(
                400,
                {"error": {"message": f"Voice '{name}' does not exist. Is it misspelled?", "code": 400}},
            )
        return as_json({"audioContent": base64.b64encode(fake.audio).decode()})
    if call.path == "/v1/voices":
        voices = [
            {"languageCodes": [name[:5]], "name": name, "ssmlGender": "FEMALE", "naturalSampleRateHertz": 1}
            for name in VOICES["google"]
        ]
        return as_json({"voices": voices})
    if call.path.startswith("/v1beta/models/"):
        need(call.path.endswith(":generateContent"), "method")
        need(body["systemInstruction"]["parts"][0]["text"], "systemInstruction")
        need(body["contents"][0]["role"] == "user", "contents")
        need(body["generationConfig"]["maxOutputTokens"] > 0, "generationConfig")
        usage = {"promptTokenCount": 100, "candidatesTokenCount": 15, "thoughtsTokenCount": 5}
        content = {"role": "model", "parts": [{"text": fake.copy(call)}]}
        return as_json({"candidates": [{"content": content, "finishReason": "STOP"}], "usageMetadata": usage})
    need(body["max_tokens"] > 0 and body["model"] and isinstance(body["system"], str), "messages")
    need(body["messages"][0]["role"] == "user", "messages")
    usage = {"input_tokens": 100, "output_tokens": 20}
    text = {"type": "text", "text": fake.copy(call)}
    return as_json({"type": "message", "content": [text], "stop_reason": "end_turn", "usage": usage})


def as_json(value: Any) -> tuple[str, bytes, dict[str, str]]:
    """A JSON answer."""
    return "application/json", json.dumps(value).encode(), {}


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: Any

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""

    def do_GET(self) -> None:
        """Lists."""
        self.serve(None)

    def do_POST(self) -> None:
        """Calls."""
        self.serve(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def serve(self, body: Any) -> None:
        """Answers as the contract says, or as the fault does."""
        fake: Fake = self.server.fake
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        provider = provider_of(parts.path)
        call = Call(provider, parts.path, parse_qs(parts.query), headers, body)
        with fake.lock:
            fake.calls.append(call)
        fault = fake.faults.get(provider) or fake.faults.get("") or Fault()
        if fault.delay_s:
            time.sleep(fault.delay_s)
        try:
            if not provider:
                raise Wrong(404, {"error": {"type": "not_found_error"}})
            if KEYS[provider](headers) != fake.key:
                raise Wrong(*REFUSED[provider])
            if fault.status:
                raise Wrong(fault.status, fault.body)
            kind, content, more = answer(fake, call)
        except Wrong as wrong:
            plain = wrong.body if isinstance(wrong.body, str) else json.dumps(wrong.body)
            self.send(wrong.status, "application/json", plain.encode(), fault.headers)
            return
        SPOILERS[fault.spoil](self, kind, content, more)

    def send(
        self, status: int, kind: str, content: bytes, more: dict[str, str], *, length: int | None = None
    ) -> None:
        """Sends it whole, unless `length` promises more."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        for name, value in more.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def cut_off(self, kind: str, content: bytes, more: dict[str, str]) -> None:
        """Promises all and sends half."""
        self.send(200, kind, content[: len(content) // 2], more, length=len(content))
        self.close_connection = True

    def drip(self, kind: str, content: bytes, more: dict[str, str]) -> None:
        """A byte now and then: each comes in time, the whole never."""
        self.send(200, kind, b"", more, length=len(content))
        try:
            for number in range(len(content)):
                self.wfile.write(content[number : number + 1])
                time.sleep(0.05)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def huge(self, kind: str, content: bytes, more: dict[str, str]) -> None:
        """More than anybody asked for."""
        self.send(200, kind, b"", more, length=64 << 20)
        try:
            for _ in range(64):
                self.wfile.write(bytes(1 << 20))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


SPOILERS: dict[str, Callable[..., None]] = {
    "": lambda handler, kind, content, more: handler.send(200, kind, content, more),
    "not audio": lambda handler, kind, content, more: handler.send(200, "text/html", b"<html>", more),
    "noise": lambda handler, kind, content, more: handler.send(
        200, *((kind, b"\x00\x01\x02" * 99) if kind == "audio/mpeg" else noisy(content)), more
    ),
    "half a file": lambda handler, kind, content, more: handler.send(
        200, *((kind, content[: len(content) // 2]) if kind == "audio/mpeg" else halved(content)), more
    ),
    "empty": lambda handler, kind, content, more: handler.send(200, kind, b"", more),
    "other shape": lambda handler, kind, content, more: handler.send(
        200, "application/json", b'{"voices": [3], "candidates": {}, "content": 7, "choices": []}', more
    ),
    "cut off": Handler.cut_off,
    "drip": Handler.drip,
    "huge": Handler.huge,
    "redirect": lambda handler, kind, content, more: handler.send(
        307, kind, b"", {"Location": "/v1/elsewhere"}
    ),
}


def noisy(content: bytes) -> tuple[str, bytes]:
    """The JSON of Google with noise for audio."""
    noise = base64.b64encode(b"\x00\x01\x02" * 99).decode()
    return "application/json", json.dumps(json.loads(content) | {"audioContent": noise}).encode()


def halved(content: bytes) -> tuple[str, bytes]:
    """The JSON of Google with half of its audio."""
    audio = base64.b64decode(json.loads(content)["audioContent"])
    half = base64.b64encode(audio[: len(audio) // 2]).decode()
    return "application/json", json.dumps({"audioContent": half}).encode()


@contextmanager
def serving() -> Iterator[Fake]:
    """The server on loopback while the block runs."""
    fake = Fake()
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    server.fake = fake
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def nobody_s_address() -> str:
    """An address of this machine at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
