"""50 listeners at once, each fetching a sound of 10 MB by its signed link.

Baseline in the same run: nginx serving the same file from the same folder by `sendfile`, with no signature, no row and
no rules. Ours twice: the server of `make run` alone, and behind nginx with X-Accel-Redirect (MEDIA_ACCEL_PREFIX).
Without nginx on the machine, the baseline is a bare asyncio server with `sendfile`, and the second is left out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "backend"), str(ROOT / "player" / "src")]

from journeys import lab  # noqa: E402  # the paths above come first

MEGABYTES = 10
AT_ONCE = 50
WANTED = {"embedded": 0.5, "accelerated": 0.9}
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")

NGINX_CONF = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; worker_processes auto;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream ours {{ server 127.0.0.1:{behind}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{port};
    location /files/ {{ alias {media}/; }}
    location /protected/ {{ internal; alias {media}/; }}
    location / {{ proxy_pass http://ours; proxy_http_version 1.1; proxy_set_header Connection "";
                  proxy_set_header Host $http_host; }}
  }}
}}
"""


def sound(path: Path) -> None:
    """A WAV of MEGABYTES of silence, 48 kHz stereo: 55 s."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(bytes(MEGABYTES * 1_000_000 // 4 * 4))


def fetch(url: str) -> float:
    """Seconds until AT_ONCE connections, opened anew, have all of it; the bytes are read and dropped."""
    parts = urlsplit(url)
    address = (str(parts.hostname), int(parts.port or 80))
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    asked = f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode()
    buffer = memoryview(bytearray(1024 * 1024))
    began = time.perf_counter()
    with selectors.DefaultSelector() as waiting:
        for _ in range(AT_ONCE):
            listener = socket.create_connection(address)
            listener.sendall(asked)
            listener.setblocking(False)
            waiting.register(listener, selectors.EVENT_READ, [0])
        while waiting.get_map():
            for key, _ in waiting.select(60):
                size = key.fileobj.recv_into(buffer)
                key.data[0] += size
                if not size:
                    waiting.unregister(key.fileobj)
                    key.fileobj.close()
                    assert key.data[0] > MEGABYTES * 1_000_000, f"{url}: {bytes(buffer[:200])!r}"
    return time.perf_counter() - began


@contextmanager
def ours(folder: Path, **environ: str) -> Iterator[tuple[lab.Server, str]]:
    """Our server on a fresh folder with the sound uploaded, and the path of its signed link."""
    server = lab.Server(folder, environ=environ).start()
    try:
        owner = lab.register(server)
        path = folder / "silence.wav"
        sound(path)
        with path.open("rb") as file:
            made = owner.call("POST", "/api/music/upload/", expect=201, files={"file": file})
        place = f"/api/music/{made['id']}/"
        lab.wait_for("measuring", lambda: owner.get(place)["status"] == "ready")
        yield server, owner.get(place)["audio_url"]
    finally:
        server.stop()


@contextmanager
def nginx(folder: Path, media: Path, behind: int) -> Iterator[int]:
    """nginx on a free port, in front of our server and of its media."""
    assert NGINX is not None
    port = lab.free_port()
    conf = folder / "nginx.conf"
    conf.write_text(NGINX_CONF.format(folder=folder, media=media, behind=behind, port=port))
    # Run as root, its workers would be another account, which may not enter a folder of ours.
    for part in (folder, media, *media.parents, *media.rglob("*")):
        if part.is_relative_to(folder) and part.exists():
            part.chmod(0o755)
    process = subprocess.Popen([NGINX, "-c", str(conf), "-p", str(folder), "-e", str(folder / "nginx.log")])
    try:
        lab.wait_for("nginx", lambda: _answers(port))
        yield port
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def serve_bare(path: str, port: int) -> None:
    """The baseline without nginx: asyncio and `sendfile`."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with Path(path).open("rb") as file:  # noqa: ASYNC230  # opening is no wait worth a thread here
            size = Path(path).stat().st_size  # noqa: ASYNC240
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
            await writer.drain()
            await asyncio.get_running_loop().sendfile(writer.transport, file)
        writer.close()

    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", port)
        async with server:
            await server.serve_forever()

    asyncio.run(run())


@contextmanager
def bare(path: Path) -> Iterator[int]:
    """The bare server as a process."""
    port = lab.free_port()
    process = subprocess.Popen([sys.executable, __file__, "--serve-bare", str(path), str(port)])
    try:
        lab.wait_for("the bare server", lambda: _answers(port))
        yield port
    finally:
        process.kill()
        process.wait()


def main() -> None:
    """Prints one JSON line and a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--serve-bare", nargs=2, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.serve_bare:
        serve_bare(chosen.serve_bare[0], int(chosen.serve_bare[1]))
        return
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="s2g-", ignore_cleanup_errors=True))
        )
        alone, link = stack.enter_context(ours(folder / "alone"))
        ways: dict[str, Callable[[], float]] = {}
        if NGINX:
            behind, accelerated = stack.enter_context(
                ours(folder / "behind", MEDIA_ACCEL_PREFIX="/protected/")
            )
            media = folder / "behind" / "data" / "media"
            port = stack.enter_context(nginx(folder, media, behind.port))
            (file,) = (path for path in media.rglob("*.wav"))
            ways["nginx"] = lambda: fetch(f"http://127.0.0.1:{port}/files/{file.relative_to(media)}")
            ways["accelerated"] = lambda: fetch(f"http://127.0.0.1:{port}{accelerated}")
            baseline = "nginx"
        else:
            (file,) = (folder / "alone" / "data" / "media").rglob("*.wav")
            port = stack.enter_context(bare(file))
            ways["asyncio sendfile (no nginx here)"] = lambda: fetch(f"http://127.0.0.1:{port}/")
            baseline = "asyncio sendfile (no nginx here)"
        ways["embedded"] = lambda: fetch(f"{alone.url}{link}")
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(chosen.rounds + 1):
            for name, way in ways.items():
                took = way()
                if turn:  # the first warms up
                    seconds[name].append(took)
    rows = {name: AT_ONCE * MEGABYTES / statistics.median(taken) for name, taken in seconds.items()}
    ratios = {name: round(rows[name] / rows[baseline], 2) for name in rows if name != baseline}
    print(
        json.dumps(
            {
                "bench": "audio_stream",
                "baseline": baseline,
                "rounds": chosen.rounds,
                "mb_per_s": {name: round(value) for name, value in rows.items()},
                "ratio": ratios,
            }
        )
    )
    print(f"{'':36}{'MB/s':>8}{'ratio':>8}{'wanted':>8}")
    for name, value in rows.items():
        wanted = f"{WANTED[name]:8.2f}" if name in WANTED else ""
        print(f"{name:36}{value:8.0f}{ratios.get(name, 1.0):8.2f}{wanted}")


if __name__ == "__main__":
    main()
