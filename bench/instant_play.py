"""Time from the play request to the `play_announcement` on a connected device, in the embedded footprint.

Baseline in the same run: an ASGI application of thirty lines under the same server that answers a POST by sending
a frame of the same size to its one socket, with no sign-in, no rules, no database and no ledger.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "backend"), str(ROOT / "player" / "src")]

import httpx  # noqa: E402  # the paths above come first
import websockets  # noqa: E402
from journeys import lab  # noqa: E402

FRAME_BYTES = 640
WARM_UP = 20
PACE_S = 0.12
"""Between plays: a device that acknowledges more than ten a second is shut out (protocol v1, limits)."""


def bare_application() -> Callable[..., Awaitable[None]]:
    """One socket, one POST, nothing else."""
    sockets: list[Callable[[dict[str, Any]], Awaitable[None]]] = []

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            sockets.append(send)
            while (await receive())["type"] != "websocket.disconnect":
                pass
        elif scope["type"] == "http":
            while (await receive()).get("more_body"):
                pass
            for push in sockets:
                await push({"type": "websocket.send", "text": "x" * FRAME_BYTES})
            await send({"type": "http.response.start", "status": 202, "headers": []})
            await send({"type": "http.response.body", "body": b"{}"})

    return application


def serve_bare(port: int) -> None:
    """The baseline's server; runs until it is killed."""
    import uvicorn

    uvicorn.run(bare_application(), port=port, log_level="error", lifespan="off", ws="websockets-sansio")


async def timed(
    rounds: int, post: Callable[[], Awaitable[Any]], heard: Callable[[], Awaitable[None]]
) -> list[float]:
    """Milliseconds from each request to its frame, one at a time."""
    taken = []
    for number in range(rounds + WARM_UP):
        begun = time.perf_counter()
        request = asyncio.ensure_future(post())
        await heard()
        if number >= WARM_UP:
            taken.append((time.perf_counter() - begun) * 1e3)
        await request
        await asyncio.sleep(PACE_S)
    return taken


async def measure_bare(port: int, rounds: int) -> list[float]:
    """The baseline."""
    async with (
        websockets.connect(f"ws://127.0.0.1:{port}/") as socket,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http,
    ):
        return await timed(rounds, lambda: http.post("/", json={}), lambda: _any_frame(socket))


async def _any_frame(socket: Any) -> None:
    await socket.recv()


async def measure_sync2gear(server: lab.Server, rounds: int) -> list[float]:
    """Ours: sign-in, rules, ledger, audit trail, push."""
    owner = lab.register(server)
    floor = owner.call("POST", "/api/floors/", expect=201, json={"name": "Ground"})
    device = owner.call("POST", "/api/devices/", expect=201, json={"name": "S", "floor": floor["id"]})
    made = owner.call(
        "POST", "/api/announcements/tts/generate/", expect=202, json={"title": "T", "text": "Hello."}
    )
    path = f"/api/announcements/{made['id']}/"
    lab.wait_for("speech", lambda: owner.get(path)["status"] == "ready")
    headers = dict(owner.http.headers)
    async with (
        websockets.connect(
            f"ws://127.0.0.1:{server.port}/ws/devices/{device['device_id']}/",
            subprotocols=[websockets.Subprotocol("sync2gear.v1")],
            additional_headers={"Authorization": f"Bearer {device['token']}"},
        ) as socket,
        httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as http,
    ):
        await socket.send(json.dumps({"type": "hello", "boot_id": "bench"}))

        async def heard() -> None:
            while True:
                message = json.loads(await socket.recv())
                if message["type"] == "play_announcement":
                    ack = {"type": "ack", "event_id": message["event_id"], "state": "armed"}
                    await socket.send(json.dumps(ack))
                    return

        body = {"devices": [device["id"]]}
        return await timed(rounds, lambda: http.post(f"{path}play/", json=body), heard)


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of them lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main() -> None:
    """Prints one JSON line and a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=200)
    options.add_argument("--serve-bare", type=int, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.serve_bare:
        serve_bare(chosen.serve_bare)
        return
    with tempfile.TemporaryDirectory() as folder:
        ours = measured(Path(folder), chosen.rounds)
    bare = measured_bare(chosen.rounds)
    rows = {
        name: {"p50_ms": percentile(values, 0.5), "p99_ms": percentile(values, 0.99)}
        for name, values in (("bare", bare), ("sync2gear", ours))
    }
    ratio = rows["sync2gear"]["p50_ms"] / rows["bare"]["p50_ms"]
    print(
        json.dumps({"bench": "instant_play", "rounds": chosen.rounds, **rows, "p50_ratio": round(ratio, 2)})
    )
    print(f"{'':12}{'p50 ms':>10}{'p99 ms':>10}")
    for name, row in rows.items():
        print(f"{name:12}{row['p50_ms']:10.2f}{row['p99_ms']:10.2f}")


def measured(folder: Path, rounds: int) -> list[float]:
    """Starts our server on a fresh folder, measures, and stops it."""
    server = lab.Server(folder).start()
    try:
        return asyncio.run(measure_sync2gear(server, rounds))
    finally:
        server.stop()


def measured_bare(rounds: int) -> list[float]:
    """The same for the baseline."""
    import subprocess

    port = lab.free_port()
    bare = subprocess.Popen([sys.executable, __file__, "--serve-bare", str(port)])
    try:
        time.sleep(2)
        return asyncio.run(measure_bare(port, rounds))
    finally:
        bare.kill()
        bare.wait()


if __name__ == "__main__":
    main()
