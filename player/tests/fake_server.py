"""A server of the tests: real sockets and HTTP on loopback, and does what a test tells it, lies included."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import av
import numpy as np
import uvicorn

from devices import plan as plan_document
from devices import protocol

TOKEN = "t0ken-of-the-speaker"
RATE = 48_000


def event_id() -> str:
    return str(uuid.uuid4())


def wav(samples: np.ndarray) -> bytes:
    """A mono float array at 48 kHz as a WAV file."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="wav") as container:
        stream = container.add_stream("pcm_s16le", rate=RATE)
        stream.layout = "mono"
        pcm = (np.clip(samples, -1, 1) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(pcm[None, :], format="s16", layout="mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def noise(seconds: float, seed: int, level: float = 0.1) -> np.ndarray:
    return level * np.random.default_rng(seed).standard_normal(round(seconds * RATE))


class FakeServer:
    def __init__(self) -> None:
        self.media: dict[str, bytes] = {}
        self.plan: protocol.Any = None
        self.plan_fetches = 0
        self.media_requests: list[tuple[str, str]] = []
        self.media_status: dict[str, int] = {}
        self.desired = protocol.Desired(rev=1, volume=100)
        self.received: list[protocol.Inbound] = []
        self.sockets: list[Callable[[bytes], Any]] = []
        self.connections = 0
        self.acknowledge = True
        self.refuse_with: int | None = None
        self.pairing: list[tuple[int, dict[str, Any]]] = []
        self._arrived = asyncio.Condition()
        self._server: uvicorn.Server | None = None
        self.port = 0

    # --- what a test says ---

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def now(self) -> int:
        return time.time_ns() // 1000

    def add_media(self, content: bytes, *, duration_ms: int) -> plan_document.Asset:
        sha256 = hashlib.sha256(content).hexdigest()
        self.media[sha256] = content
        return plan_document.Asset(
            sha256=sha256,
            bytes=len(content),
            mime="audio/wav",
            duration_ms=duration_ms,
            gain_db=0.0,
            url=f"/media/{sha256}?signature=x",
            url_expires_at=self.now() + 3_600_000_000,
        )

    def add_sound(self, samples: np.ndarray) -> plan_document.Asset:
        return self.add_media(wav(samples), duration_ms=len(samples) * 1000 // RATE)

    def set_plan(self, **fields: Any) -> plan_document.Plan:
        now = self.now()
        plan = plan_document.Plan(
            device_id="lobby-1",
            valid_from=now - 3_600_000_000,
            valid_until=now + 86_400_000_000,
            timezone="UTC",
            desired=self.desired,
            **fields,
        )
        self.plan = plan_document.msgspec.structs.replace(plan, etag=plan_document.etag_of(plan))
        return self.plan

    def push_of(self, asset: plan_document.Asset, **fields: Any) -> protocol.PlayAnnouncement:
        play_at = fields.pop("play_at", self.now() + 1_500_000)
        values = {
            "announcement_id": 7,
            "audio_url": asset.url,
            "volume": 100,
            "event_id": event_id(),
            "play_at": play_at,
            "expires_at": play_at + 2_000_000,
            "sha256": asset.sha256,
            "bytes": asset.bytes,
            "mime": asset.mime,
            "duration_ms": asset.duration_ms,
        }
        return protocol.PlayAnnouncement(**(values | fields))

    async def send(self, message: protocol.Outbound | dict[str, Any]) -> None:
        frame = json.dumps(message).encode() if isinstance(message, dict) else protocol.encode(message)
        for socket in self.sockets:
            await socket({"type": "websocket.send", "text": frame.decode()})

    async def drop(self, code: int = 1012) -> None:
        for socket in self.sockets:
            await socket({"type": "websocket.close", "code": code})

    def of_type(self, cls: type, **fields: Any) -> list[Any]:
        return [
            message
            for message in self.received
            if isinstance(message, cls)
            and all(getattr(message, key) == value for key, value in fields.items())
        ]

    async def expect(self, cls: type, *, count: int = 1, within_s: float = 10.0, **fields: Any) -> Any:
        async with asyncio.timeout(within_s), self._arrived:
            await self._arrived.wait_for(lambda: len(self.of_type(cls, **fields)) >= count)
        return self.of_type(cls, **fields)[count - 1]

    # --- the server itself ---

    @contextlib.asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator[FakeServer]:
        config = uvicorn.Config(
            self._app,
            host="127.0.0.1",
            port=port,
            log_level="error",
            lifespan="off",
            interface="asgi3",
            ws="websockets-sansio",
        )
        server = uvicorn.Server(config)
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]  # pytest keeps its own
        task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
            await asyncio.sleep(0.01)
        self.port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            await self.drop()
            server.should_exit = server.force_exit = True
            await task

    async def _app(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _socket(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()
        assert scope["path"] == "/ws/devices/lobby-1/"
        assert protocol.SUBPROTOCOL in scope["subprotocols"]
        authorised = dict(scope["headers"]).get(b"authorization") == f"Bearer {TOKEN}".encode()
        await send({"type": "websocket.accept", "subprotocol": protocol.SUBPROTOCOL})
        self.connections += 1
        refusal = self.refuse_with or (None if authorised else protocol.CloseCode.BAD_TOKEN)
        if refusal:
            await send({"type": "websocket.close", "code": refusal})
            return
        self.sockets.append(send)
        try:
            while (event := await receive())["type"] == "websocket.receive":
                arrived = self.now()
                message = protocol.decode_inbound(event["text"])
                # To one that has gone uvicorn sends nothing; what it said before is read all the same.
                with contextlib.suppress(OSError, RuntimeError):
                    await self._answer(message, arrived, send)
                async with self._arrived:
                    self.received.append(message)
                    self._arrived.notify_all()
        finally:
            self.sockets.remove(send)

    async def _answer(self, message: protocol.Inbound, arrived: int, send: Any) -> None:
        answer: protocol.Outbound
        match message:
            case protocol.Hello():
                answer = protocol.Welcome(
                    session="s",
                    desired=self.desired,
                    plan_etag=self.plan.etag if self.plan else "",
                    plan_url="/api/devices/5/plan/",
                )
            case protocol.TimeProbe():
                answer = protocol.TimeReply(n=message.n, t1=message.t1, t2=arrived, t3=self.now())
            case protocol.PlaybackComplete(event_id=key) if key and self.acknowledge:
                answer = protocol.ReceiptAck(event_ids=[key])
            case protocol.MusicPlayed(stretches=stretches) if self.acknowledge:
                answer = protocol.ReceiptAck(report_ids=[each.report_id for each in stretches])
            case _:
                return
        await send({"type": "websocket.send", "text": protocol.encode(answer).decode()})

    async def _http(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()
        headers = {key.decode(): value.decode() for key, value in scope["headers"]}
        path = scope["path"]
        if path.startswith("/api/devices/pair"):
            await _respond(send, *self.pairing.pop(0))
        elif headers.get("authorization") != f"Bearer {TOKEN}" and not path.startswith("/media/"):
            await _respond(send, 401, {"code": "authentication_failed", "detail": "Unknown token."})
        elif path == "/api/devices/self/":
            await _respond(send, 200, self.claim())
        elif path.endswith("/plan/"):
            self.plan_fetches += 1
            if self.plan is None:
                await _respond(send, 503, {})
            elif headers.get("if-none-match") == f'"{self.plan.etag}"':
                await _respond(send, 304, None)
            else:
                await _respond(send, 200, protocol.encode(self.plan), {"etag": f'"{self.plan.etag}"'})
        else:
            await self._serve_media(path.rpartition("/")[2], headers, send)

    def claim(self) -> dict[str, Any]:
        return {
            "id": 5,
            "device_id": "lobby-1",
            "name": "Lobby",
            "token": TOKEN,
            "ws_path": "/ws/devices/lobby-1/",
            "plan_url": "/api/devices/5/plan/",
        }

    async def _serve_media(self, sha256: str, headers: dict[str, str], send: Any) -> None:
        self.media_requests.append((sha256, headers.get("range", "")))
        status = self.media_status.get(sha256)
        if status:
            await _respond(send, status, {})
            return
        content, etag = self.media[sha256], f'"{sha256[:16]}"'
        begin = 0
        if "range" in headers and headers.get("if-range") == etag:
            begin = int(headers["range"].removeprefix("bytes=").partition("-")[0])
        await _respond(send, 206 if begin else 200, content[begin:], {"etag": etag})


async def _respond(send: Any, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    fields = {"content-type": "application/json", "content-length": str(len(content))} | (headers or {})
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(key.encode(), value.encode()) for key, value in fields.items()],
        }
    )
    await send({"type": "http.response.body", "body": content})
