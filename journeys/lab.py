"""A whole shop as real processes: the server, its speakers, a person with an HTTP client, and ears.

The ears read what a speaker rendered (its WAV and the JSON beside it) and find a clip in it by cross-correlation,
on the machine's true time line, whatever clock the speaker was given.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
from numpy.typing import NDArray

from sync2gear_player.sinks.file import read_capture

ROOT = Path(__file__).resolve().parents[1]
RATE = 48_000
PATIENCE_S = 40.0
START_S = 150.0
"""For a server's first answer: loading it is work, of which a busy machine does little at a time."""
PASSWORD = "open sesame every day"  # of whoever registers
DATABASE = "sync2gear.sqlite3"
Samples = NDArray[np.float32]


def wait_for(what: str, check: Callable[[], Any], *, seconds: float = PATIENCE_S, every: float = 0.05) -> Any:
    """The first truthy answer of `check`; fails with `what` when it takes too long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = check()
        if answer:
            return answer
        time.sleep(every)
    raise AssertionError(f"{what} did not happen within {seconds} s")


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(**more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"PYTHONPATH": f"{ROOT / 'backend'}:{ROOT / 'player' / 'src'}"} | more


@cache
def _migrated() -> Path:
    """An empty database with all tables: the first start of every server would otherwise make its own, for seconds."""
    folder = Path(tempfile.mkdtemp(prefix="s2g-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run(
        [sys.executable, str(ROOT / "backend" / "manage.py"), "migrate", "--verbosity=0"],
        env=_environment(SYNC2GEAR_DATA=str(folder)),
        check=True,
    )
    return folder / DATABASE


@dataclass
class Server:
    """`manage.py serve` on a folder of its own; it may be killed and started again."""

    folder: Path
    port: int = field(default_factory=free_port)
    environ: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it printed."""
        return (self.folder / "server.log").read_text(errors="replace")

    def start(self) -> Server:
        """Starts it and waits until it answers; one that does not is ended."""
        data = self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        if not (data / DATABASE).exists():
            shutil.copy(_migrated(), data)
        environ = _environment(
            SYNC2GEAR_DATA=str(data),
            SYNC2GEAR_ADMIN_PASSWORD="a long enough password",
            HOST="127.0.0.1",
            PORT=str(self.port),
            **{"SYNC2GEAR_DEMO": "0"} | self.environ,
        )
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "backend" / "manage.py"), "serve"],
                env=environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            what = f"the server's answer (its log: {self.folder / 'server.log'})"
            wait_for(what, self._answers, seconds=START_S)
        except AssertionError:
            self.kill()
            raise
        return self

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log
        try:
            httpx.get(f"{self.url}/api/schema/", timeout=5)
        except httpx.TransportError:
            return False
        return True

    def kill(self) -> None:
        """SIGKILL to it and its children: no farewell, no clean-up."""
        self._signal(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; answers its exit code."""
        return self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> int:
        if self.process is None:
            return 0
        process, self.process = self.process, None
        if process.poll() is None:
            os.killpg(process.pid, number)
        return process.wait(timeout=30)


@dataclass
class Speaker:
    """`python -m sync2gear_player` that renders into a file."""

    folder: Path
    server: str
    token: str
    options: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def wav(self) -> Path:
        """What it rendered."""
        return self.folder / "out.wav"

    @property
    def log(self) -> str:
        """What it printed."""
        return (self.folder / "speaker.log").read_text(errors="replace")

    def heard_s(self) -> float:
        """Seconds rendered since something sounded first; 0 while all is silence."""
        if not self.wav.exists():
            return 0.0
        frames, _ = read_capture(self.wav)
        sounding = np.flatnonzero(np.abs(frames).max(axis=1) > 50) if len(frames) else ()
        return (len(frames) - int(sounding[0])) / RATE if len(sounding) else 0.0

    def start(self) -> Speaker:
        """Starts it; it connects in its own time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [
            sys.executable, "-m", "sync2gear_player", "--server", self.server, "--state", str(self.folder / "state"),
            "--output", f"file:{self.wav}", "--log-level", "debug", *self.options,
        ]  # fmt: skip
        with (self.folder / "speaker.log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env=_environment(SYNC2GEAR_TOKEN=self.token),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def stop(self) -> None:
        """SIGTERM, and waits."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self.process is None:
            return
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(number)
        process.wait(timeout=30)


@dataclass
class Person:
    """Somebody who is signed in, with the API in their hand."""

    http: httpx.Client

    def call(self, method: str, path: str, *, expect: int, **request: Any) -> Any:
        """The JSON of an answer that must have this status."""
        response = self.http.request(method, path, **request)
        assert response.status_code == expect, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None

    def get(self, path: str, **request: Any) -> Any:
        """GET that must succeed."""
        return self.call("GET", path, expect=200, **request)

    def event(self, event_id: str) -> Any:
        """One play event with its history."""
        return self.get(f"/api/play-events/{event_id}/")


def register(server: Server, name: str = "Corner Shop") -> Person:
    """A new business and its admin, signed in, through the API alone."""
    http = httpx.Client(base_url=server.url, timeout=30)
    answer = http.post(
        "/api/auth/register/",
        json={
            "business_name": name,
            "name": "Ada Keeper",
            "email": f"{name.lower().replace(' ', '.')}@example.com",
            "password": PASSWORD,
            "telephone": "+44 20 7946 0000",
            "timezone": "Europe/London",
        },
    )
    assert answer.status_code == 201, answer.text
    http.headers["Authorization"] = f"Bearer {answer.json()['access']}"
    return Person(http)


@contextmanager
def stopped_at_the_end(things: list[Any]) -> Iterator[None]:
    """Stops whatever of these still runs."""
    try:
        yield
    finally:
        for thing in things:
            thing.kill()


# --- ears ------------------------------------------------------------------------------------------------


def decoded(audio: bytes | Path) -> Samples:
    """A file's sound as mono float at 48 kHz."""
    import io

    source = io.BytesIO(audio) if isinstance(audio, bytes) else str(audio)
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    pieces: list[Samples] = []
    with av.open(source) as container:
        for frame in container.decode(audio=0):
            pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
        pieces += [piece.to_ndarray()[0] for piece in resampler.resample(None)]
    return np.concatenate(pieces).astype(np.float32)


@dataclass(frozen=True)
class Capture:
    """What one speaker rendered, on the true time line."""

    samples: Samples
    first_us: float
    rate: float
    events: list[dict[str, Any]]

    @classmethod
    def of(cls, wav: Path) -> Capture:
        """Reads the file and the JSON beside it."""
        frames, truth = read_capture(wav)
        mono = frames.astype(np.float32).mean(axis=1) / 32768.0
        return cls(mono, float(truth["first_sample_true_us"]), float(truth["rate"]), truth["events"])

    def time_of(self, frame: float) -> float:
        """True time, µs, at which this frame left the output."""
        return self.first_us + frame * 1e6 / self.rate

    def frame_at(self, us: float) -> int:
        """The frame that left the output at this true time."""
        return round((us - self.first_us) * self.rate / 1e6)

    def loudness_db(self, start_us: float, end_us: float) -> float:
        """RMS level of a stretch, dBFS."""
        part = self.samples[max(0, self.frame_at(start_us)) : self.frame_at(end_us)]
        return float(20 * np.log10(np.sqrt(np.mean(part.astype(np.float64) ** 2)) + 1e-9))

    def find(self, clip: Samples, *, around_us: float, within_ms: float = 1500) -> Found:
        """Where the clip is heard around an instant: the highest peak of the normalised cross-correlation."""
        margin = round(within_ms * self.rate / 1e3)
        begin = max(0, self.frame_at(around_us) - margin)
        end = min(len(self.samples), self.frame_at(around_us) + margin + len(clip))
        heard = self.samples[begin:end].astype(np.float64)
        assert len(heard) > len(clip), "the capture ends before the clip could have been heard"
        size = 1 << (len(heard) + len(clip)).bit_length()
        spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(clip.astype(np.float64), size))
        correlation = np.fft.irfft(spectrum, size)[: len(heard) - len(clip) + 1]
        energy = np.concatenate([[0.0], np.cumsum(heard**2)])
        windows = np.sqrt(np.maximum(energy[len(clip) :] - energy[: -len(clip)], 1e-9))
        score = correlation / (windows * np.sqrt(np.sum(clip.astype(np.float64) ** 2)))
        best = int(np.argmax(score))
        fine = best + _vertex(score, best)
        return Found(at_us=self.time_of(begin + fine), score=float(score[best]))


@dataclass(frozen=True)
class Found:
    """A clip that was heard: the true time of its first sample (µs), and how alike it is (1: the same)."""

    at_us: float
    score: float


def _vertex(values: NDArray[np.float64], place: int) -> float:
    """The top of the parabola through a peak and its neighbours, as an offset from the peak."""
    if not 0 < place < len(values) - 1:
        return 0.0
    left, middle, right = values[place - 1 : place + 2]
    bend = left - 2 * middle + right
    return float(0.5 * (left - right) / bend) if bend else 0.0


def instant_us(text: str) -> int:
    """µs of an ISO 8601 instant of the API."""
    from datetime import datetime

    return round(datetime.fromisoformat(text).timestamp() * 1e6)
