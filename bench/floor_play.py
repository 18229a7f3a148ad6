"""An instant play for a floor of 200 speakers: from the request to the last `play_announcement` received.

Ours: `POST /api/announcements/{id}/play/` to one web process of the production footprint (PostgreSQL whose commits
reach the disk, Valkey), 200 sockets signed in and greeted. The push follows the commit, so the ledger has all rows by
then. Baseline in the same run, in turns: a program of twenty lines that reads a POST by hand and hands its body, an
order, to its 200 sockets by `websockets.broadcast`: no sign-in, no rules, no rows, no bus. The same client program
listens to both and reads every order.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "backend")]

import httpx  # noqa: E402  # the paths above come first
import websockets  # noqa: E402
from ground import database, summary  # noqa: E402

OURS, BARE = "sync2gear", "bare message"
WARM_UP = 10
PACE_S = 0.4
"""Between plays: every speaker acknowledges its order before the next one comes."""
PROTOCOL = websockets.Subprotocol("sync2gear.v1")


# --- the baseline's server -------------------------------------------------------------------------------


async def serve_bare(ports: list[int]) -> None:
    """The body of a POST to the first port goes to every socket of the second; runs until it is killed."""
    sockets: set[Any] = set()

    async def hold(socket: Any) -> None:
        sockets.add(socket)
        await socket.wait_closed()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):  # the client has gone
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = next(
                    line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
                )
                body = await reader.readexactly(int(size.split(b":")[1]))
                websockets.broadcast(sockets, body.decode())
                writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}")
                await writer.drain()

    await asyncio.start_server(answer, "127.0.0.1", ports[0])
    async with websockets.serve(hold, "127.0.0.1", ports[1], compression=None) as server:
        await server.serve_forever()


# --- ours ------------------------------------------------------------------------------------------------


def shop(devices: int) -> dict[str, Any]:
    """A business with one floor of so many speakers; what a client must know of it."""
    from rest_framework_simplejwt.tokens import AccessToken

    from announcements.models import Announcement
    from clients.models import Client
    from common.media_fields import Readiness
    from common.tenancy import system_scope
    from devices.models import Device
    from devices.services import rotate_token
    from users.models import User
    from users.tokens import bound
    from zones.models import Floor

    with system_scope("a bench fills the tables"):
        client = Client.objects.create(
            name="Shop", business_name="Shop", email="a@example.com", status="active"
        )
        user = User.everyone.create_user(
            username="a@example.com",
            email="a@example.com",
            role="client",
            client=client,
        )
        floor = Floor.objects.create(client=client, name="Ground")
        spoken = Announcement.objects.create(
            client=client, title="Words", type="tts", status=Readiness.READY, audio_file="a.mp3",
            mime_type="audio/mpeg", file_size=40_000, duration=5, duration_ms=5_000, sha256="0" * 64,
        )  # fmt: skip
        speakers = [
            Device.objects.create(client=client, floor=floor, name=f"S{number}", device_id=f"s-{number}")
            for number in range(devices)
        ]
        return {
            "floor": floor.pk,
            "announcement": spoken.pk,
            "access": str(bound(AccessToken.for_user(user), user)),
            "speakers": [(speaker.device_id, rotate_token(device=speaker)) for speaker in speakers],
        }


def serve_ours(port: int, folder: Path, profile: str) -> subprocess.Popen[bytes]:
    """One web process as `make stack` starts it; with `profile`, under cProfile."""
    how = ["-m", "cProfile", "-o", profile] if profile else []
    return subprocess.Popen(
        [sys.executable, *how, str(ROOT / "backend" / "manage.py"), "serve"],
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "core.settings",
            "SYNC2GEAR_DATA": str(folder),
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "WEB_CONCURRENCY": "1",
            "LOG_LEVEL": "WARNING",
            "RATE_LIMITS": "off",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


# --- the client ------------------------------------------------------------------------------------------


Seen = set[tuple[int, str]]
"""Which socket has which order."""


async def heard_by_all(sockets: list[Any], seen: Seen) -> list[str]:
    """The next new order on each socket; one that was `seen` is sent again because its `ack` is not stored yet."""

    async def order(socket: Any) -> str:
        while True:
            frame = str(await socket.recv())
            if '"type":"play_announcement"' in frame:
                heard = (id(socket), json.loads(frame)["event_id"])
                if heard not in seen:
                    seen.add(heard)
                    return frame

    return await asyncio.gather(*(order(socket) for socket in sockets))


async def play(
    sockets: list[Any], post: Callable[[], Awaitable[httpx.Response]], seen: Seen
) -> tuple[float, list[str]]:
    """One play: milliseconds from the request to the last order, and the orders."""
    begun = time.perf_counter()
    request = asyncio.ensure_future(post())
    frames = await heard_by_all(sockets, seen)
    taken = (time.perf_counter() - begun) * 1e3
    answer = await request
    assert answer.status_code == 202, answer.text
    return taken, frames


async def answered(url: str) -> None:
    """Returns when the server at `url` accepts requests."""
    async with httpx.AsyncClient() as http:
        for _ in range(600):
            try:
                await http.get(f"{url}/health/live")
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                return
    raise TimeoutError(url)


async def measured(ports: list[int], known: dict[str, Any], rounds: int) -> dict[str, list[float]]:
    """Plays on both servers in turns; the first WARM_UP of each are not counted."""
    taken: dict[str, list[float]] = {BARE: [], OURS: []}
    url = f"http://127.0.0.1:{ports[0]}"
    await answered(url)
    async with AsyncExitStack() as held:
        ours = []
        for device_id, token in known["speakers"]:
            socket = await held.enter_async_context(
                websockets.connect(
                    f"ws://127.0.0.1:{ports[0]}/ws/devices/{device_id}/",
                    subprotocols=[PROTOCOL],
                    additional_headers={"Authorization": f"Bearer {token}"},
                )
            )
            await socket.send(json.dumps({"type": "hello", "boot_id": "bench"}))
            assert json.loads(await socket.recv())["type"] == "welcome"
            ours.append(socket)
        signed_in = {"Authorization": f"Bearer {known['access']}"}
        http = await held.enter_async_context(httpx.AsyncClient(base_url=url, headers=signed_in, timeout=30))
        path, body = f"/api/announcements/{known['announcement']}/play/", {"floors": [known["floor"]]}
        seen: Seen = set()
        _, frames = await play(ours, lambda: http.post(path, json=body), seen)
        await acknowledged(ours, frames)

        pattern, used = frames[0], json.loads(frames[0])["event_id"]
        plain = await held.enter_async_context(httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports[1]}"))
        await answered_by_socket(ports[2])
        bare = [
            await held.enter_async_context(
                websockets.connect(f"ws://127.0.0.1:{ports[2]}/", compression=None)
            )
            for _ in ours
        ]
        for _ in range(rounds + WARM_UP):
            await asyncio.sleep(PACE_S)
            order = pattern.replace(used, str(uuid.uuid4()))
            milliseconds, _ = await play(bare, partial(plain.post, "/", content=order), seen)
            taken[BARE].append(milliseconds)
            milliseconds, frames = await play(ours, lambda: http.post(path, json=body), seen)
            taken[OURS].append(milliseconds)
            await acknowledged(ours, frames)
    return {name: values[WARM_UP:] for name, values in taken.items()}


async def acknowledged(sockets: list[Any], frames: list[str]) -> None:
    """Each speaker answers its order."""
    for socket, frame in zip(sockets, frames, strict=True):
        ack = {"type": "ack", "event_id": json.loads(frame)["event_id"], "state": "armed"}
        await socket.send(json.dumps(ack))


async def answered_by_socket(port: int) -> None:
    """Returns when something listens there."""
    for _ in range(600):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise TimeoutError(f"port {port}")


def main() -> None:
    """Prints one JSON line and a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--devices", type=int, default=200)
    options.add_argument("--rounds", type=int, default=100)
    options.add_argument("--profile", default="", help="a file for cProfile's account of the web process")
    options.add_argument("--serve-bare", type=json.loads, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.serve_bare:
        asyncio.run(serve_bare(chosen.serve_bare))
        return
    from testing import servers

    with tempfile.TemporaryDirectory() as folder, database(settings=servers.DURABLE):
        ports = [servers.free_port() for _ in range(3)]
        known = shop(chosen.devices)
        web = serve_ours(ports[0], Path(folder), chosen.profile)
        bare = subprocess.Popen([sys.executable, __file__, "--serve-bare", json.dumps(ports[1:])])
        try:
            taken = asyncio.run(measured(ports, known, chosen.rounds))
        finally:
            bare.kill()
            web.terminate()
            bare.wait()
            web.wait()
    rows = {name: summary(values) | {"p99_ms": percentile(values, 0.99)} for name, values in taken.items()}
    ratio = round(rows[OURS]["median_ms"] / rows[BARE]["median_ms"], 2)
    size = {"devices": chosen.devices, "rounds": chosen.rounds}
    print(json.dumps({"bench": "floor_play", **size, **rows, "ratio": ratio}))
    print(f"{'':16}{'median ms':>12}{'p99':>10}{'least':>10}{'most':>10}")
    for name, row in rows.items():
        print(
            f"{name:16}{row['median_ms']:12.1f}{row['p99_ms']:10.1f}{row['least_ms']:10.1f}{row['most_ms']:10.1f}"
        )
    print(f"{'ratio':16}{ratio:12.2f}")


def percentile(values: list[float], share: float) -> float:
    """The least value that `share` of them do not exceed (nearest rank)."""
    return round(sorted(values)[math.ceil(share * len(values)) - 1], 2)


if __name__ == "__main__":
    main()
