"""From the upload of a 4-minute MP3 until it is ready (tags, length, hash, loudness, true peak), and the request alone.

Baseline in the same run: a process that decodes the file to float samples with the same library and does nothing else.
Ours decodes in processes of their own too, for no file from outside may take the server with it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "backend"), str(ROOT / "player" / "src")]

import numpy as np  # noqa: E402  # the paths above come first
from journeys import lab  # noqa: E402

from common.audio.container import blocks  # noqa: E402
from common.audio.encode import write_audio  # noqa: E402

SECONDS = 240
RATE = 48_000
WANTED = 1.5


def song(path: Path) -> None:
    """Two gliding tones and noise, as an MP3 with tags."""
    at = np.arange(SECONDS * RATE) / RATE
    noise = np.random.default_rng(1).standard_normal(at.size)
    left = 0.2 * np.sin(2 * np.pi * (220 + 20 * np.sin(at)) * at) + 0.05 * noise
    write_audio(
        path, np.stack([left, left[::-1]]).astype(np.float32), RATE, "mp3", tags={"title": "Four minutes"}
    )


def decode_alone(path: Path) -> float:
    """Seconds of the baseline."""
    began = time.perf_counter()
    subprocess.run([sys.executable, __file__, "--decode", str(path)], check=True)
    return time.perf_counter() - began


def upload(owner: lab.Person, path: Path) -> tuple[float, float]:
    """Seconds until the request is answered, and until the track is ready."""
    began = time.perf_counter()
    with path.open("rb") as file:
        made = owner.call("POST", "/api/music/upload/", expect=201, files={"file": file})
    answered = time.perf_counter() - began
    assert made["status"] == "processing"
    place = f"/api/music/{made['id']}/"
    lab.wait_for("measuring", lambda: owner.get(place)["status"] == "ready", every=0.01)
    return answered, time.perf_counter() - began


def main() -> None:
    """Prints one JSON line and a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--decode", type=Path, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.decode:
        for _ in blocks(chosen.decode):
            pass
        return
    seconds: dict[str, list[float]] = {"decoding alone": [], "request": [], "ready": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        song(folder / "song.mp3")
        server = lab.Server(folder / "server", environ={"RATE_LIMITS": "off"}).start()
        try:
            owner = lab.register(server)
            for turn in range(chosen.rounds + 1):
                alone = decode_alone(folder / "song.mp3")
                request, ready = upload(owner, folder / "song.mp3")
                if turn:  # the first warms up
                    for row, took in zip(seconds.values(), (alone, request, ready), strict=True):
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
            }
        )
    )
    for name, value in rows.items():
        print(f"{name:16}{value:8.3f} s{value / rows['decoding alone']:8.2f}")
    print(f"wanted: ready at most {WANTED} times of decoding alone")


if __name__ == "__main__":
    main()
