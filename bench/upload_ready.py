"""From the upload of a 4-minute MP3 until it is ready (tags, length, hash, loudness, true peak), and the request alone.

Baseline in the same run: a process that decodes the file to float samples with the same library and does nothing else,
nor imports anything else. Ours decodes in processes of their own too, for no file from outside may take the server
with it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "backend"), str(ROOT / "player" / "src")]

import numpy as np  # noqa: E402  # the paths above come first
from journeys import lab  # noqa: E402

from common.audio.encode import write_audio  # noqa: E402

SECONDS = 240
RATE = 48_000
WANTED = 1.5
DECODING = """
import pathlib, sys
from common.audio.container import blocks
for _ in blocks(pathlib.Path(sys.argv[1])):
    pass
"""


def song(path: Path) -> None:
    """Two gliding tones and noise, as an MP3 with tags."""
    at = np.arange(SECONDS * RATE) / RATE
    noise = np.random.default_rng(1).standard_normal(at.size)
    left = 0.2 * np.sin(2 * np.pi * (220 + 20 * np.sin(at)) * at) + 0.05 * noise
    write_audio(
        path, np.stack([left, left[::-1]]).astype(np.float32), RATE, "mp3", tags={"title": "Four minutes"}
    )


def decode_alone(path: Path) -> tuple[float, float]:
    """Seconds of the baseline by the clock, and of processor."""
    began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", DECODING, str(path)], check=True, env={"PYTHONPATH": str(ROOT / "backend")}
    )
    took, now = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime


def processor(server: int) -> float:
    """Seconds of processor that the server and its children have used, and those that have ended."""
    ticks = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        fields = status.read_text().rpartition(")")[2].split()
        if server in (int(status.parent.name), int(fields[1])):
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def upload(server: lab.Server, owner: lab.Person, path: Path) -> tuple[float, float, float]:
    """Seconds until the request is answered, until the track is ready, and of processor for both.

    Whether it is ready is looked up in the database, for to ask the server all the time would be a load by itself.
    """
    assert server.process
    began, used = time.perf_counter(), processor(server.process.pid)
    with path.open("rb") as file:
        made = owner.call("POST", "/api/music/upload/", expect=201, files={"file": file})
    answered = time.perf_counter() - began
    assert made["status"] == "processing"
    with closing(sqlite3.connect(server.folder / "data" / lab.DATABASE)) as rows:
        status = "SELECT status FROM music_files WHERE id = ?"
        lab.wait_for(
            "measuring", lambda: rows.execute(status, [made["id"]]).fetchone() == ("ready",), every=0.005
        )
    ready = time.perf_counter() - began
    return answered, ready, processor(server.process.pid) - used


def main() -> None:
    """Prints one JSON line and a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=7)
    chosen = options.parse_args()
    seconds: dict[str, list[float]] = {
        name: [] for name in ("decoding alone", "request", "ready", "decoding, processor", "ready, processor")
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        song(folder / "song.mp3")
        server = lab.Server(folder / "server", environ={"RATE_LIMITS": "off"}).start()
        try:
            owner = lab.register(server)
            for turn in range(chosen.rounds + 1):
                alone, alone_used = decode_alone(folder / "song.mp3")
                request, ready, used = upload(server, owner, folder / "song.mp3")
                if turn:  # the first warms up
                    for row, took in zip(
                        seconds.values(), (alone, request, ready, alone_used, used), strict=True
                    ):
                        row.append(took)
        finally:
            server.stop()
    rows = {name: statistics.median(taken) for name, taken in seconds.items()}
    ratio = rows["ready"] / rows["decoding alone"]
    print(
        json.dumps(
            {
                "bench": "upload_ready",
                "rounds": chosen.rounds,
                "seconds": {name: round(value, 3) for name, value in rows.items()},
                "ratio": round(ratio, 2),
                "processor_ratio": round(rows["ready, processor"] / rows["decoding, processor"], 2),
            }
        )
    )
    for name, value in rows.items():
        alone = rows["decoding, processor" if name.endswith("processor") else "decoding alone"]
        print(f"{name:20}{value:8.3f} s{value / alone:8.2f}")
    print(f"wanted: ready at most {WANTED} times of decoding alone")


if __name__ == "__main__":
    main()
