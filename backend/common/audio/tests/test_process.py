"""A child may crash, hang, devour and babble: the parent gets a typed answer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from common.audio import isolated
from common.audio.errors import AudioRefused, CodedError, IsolationFailed
from common.audio.process import Bounds, run
from common.audio.values import Limits

BACKEND = Path(__file__).resolve().parents[3]


def child(task: str, bounds: Bounds | None = None, **arguments: Any) -> Any:
    bounds = bounds or Bounds(timeout_s=20)
    return run("common.audio.tests.faulty", task, arguments, bounds=bounds, raises=(AudioRefused,))


@pytest.mark.parametrize(
    ("task", "bounds", "code", "said"),
    [
        ("segfault", Bounds(), "crashed", "SIGSEGV"),
        ("fail", Bounds(), "crashed", "a fault of the code"),
        ("leave", Bounds(), "bad_answer", "b''"),
        ("devour", Bounds(), "out_of_memory", "memory"),
        ("burn", Bounds(timeout_s=1), "timed_out", "1 s"),
    ],
)
def test_what_goes_wrong_has_a_code(task: str, bounds: Bounds, code: str, said: str) -> None:
    with pytest.raises(IsolationFailed) as caught:
        child(task, bounds)
    assert caught.value.code == code
    assert said in caught.value.detail or "processor time" in caught.value.detail
    assert len(caught.value.detail) < 4000


def test_a_file_has_a_largest_size(tmp_path: Path) -> None:
    with pytest.raises(IsolationFailed) as caught:
        child("fill", Bounds(file_bytes=1 << 20), path=str(tmp_path / "a"))
    assert caught.value.code == "output_too_large"


def test_a_refusal_arrives_as_itself() -> None:
    with pytest.raises(AudioRefused) as caught:
        child("refuse")
    assert (caught.value.code, caught.value.detail) == ("not_audio", "This is no sound.")


def test_a_refusal_that_nobody_expects_is_a_bad_answer() -> None:
    with pytest.raises(IsolationFailed) as caught:
        run("common.audio.tests.faulty", "refuse", {}, bounds=Bounds())
    assert caught.value.code == "bad_answer"


def test_processes_are_forked_from_one_that_waits() -> None:
    first, second = child("whoami"), child("whoami")
    assert first["pid"] != second["pid"]
    assert first["parent"] == second["parent"]
    assert first["group"] == first["pid"]
    assert first["parent"] not in (1, os.getpid())


def test_one_that_has_ended_is_replaced() -> None:
    before = child("whoami")["parent"]
    os.kill(before, signal.SIGKILL)
    assert child("whoami")["parent"] != before


def test_a_forked_server_has_its_own() -> None:
    """A worker of a server that forks must not take the answers of its parent, nor end what its parent uses."""
    before = child("whoami")["parent"]
    with get_context("fork").Pool(1) as pool:
        assert pool.apply(child, ("whoami",))["parent"] != before
    assert child("whoami")["parent"] == before


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads process states from /proc")
def test_nothing_outlives_a_killed_server(tmp_path: Path) -> None:
    code = (
        "import sys; from common.audio.process import Bounds, run;"
        "run('common.audio.tests.faulty', 'sleep', {'pid_file': sys.argv[1]}, bounds=Bounds())"
    )
    server = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "pids")], cwd=BACKEND)
    patience = time.monotonic() + 20
    while not ((tmp_path / "pids").exists() and (tmp_path / "pids").read_text()):
        assert time.monotonic() < patience
        time.sleep(0.01)
    server.kill()
    server.wait()
    assert_dead([int(pid) for pid in (tmp_path / "pids").read_text().split()])


def assert_dead(pids: list[int]) -> None:
    patience = time.monotonic() + 5
    while any(map(alive, pids)) and time.monotonic() < patience:
        time.sleep(0.01)  # the kernel has been told; it may take a moment
    assert not any(map(alive, pids))


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads process states from /proc")
def test_a_timeout_ends_the_child_and_its_children(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(IsolationFailed) as caught:
        child("sleep", Bounds(timeout_s=3), pid_file=str(tmp_path / "pids"))
    assert caught.value.code == "timed_out"
    assert time.monotonic() - started < 10
    assert_dead([int(pid) for pid in (tmp_path / "pids").read_text().split()])


def test_noise_does_not_drown_the_answer() -> None:
    assert child("chatter") == "said"


def test_the_child_sees_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "s3cret")
    monkeypatch.setenv("DATABASE_URL", "postgres://u:p@h/d")
    seen = child("environment")
    assert "SECRET_KEY" not in seen
    assert "DATABASE_URL" not in seen


def test_threads_get_their_own_answers() -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda n: child("echo", number=n, text="é" * 40_000), range(6)))
    assert [answer["number"] for answer in answers] == list(range(6))
    assert all(answer["text"] == "é" * 40_000 for answer in answers)


def test_no_descriptor_and_no_thread_is_left() -> None:
    child("echo")
    before, threads = set(Path("/dev/fd").iterdir()), threading.active_count()
    for task in ("echo", "segfault"):
        try:
            child(task)
        except CodedError:
            continue
    assert set(Path("/dev/fd").iterdir()) == before
    assert threading.active_count() == threads


def test_the_work_on_files_runs_isolated(files: dict[str, Path], tmp_path: Path) -> None:
    facts = isolated.inspect(files["mp3"], Limits())
    assert (facts.mime, facts.duration_ms, facts.tags.title) == ("audio/mpeg", 3000, "Tea")
    loudness, waveform = isolated.survey(files["mp3"], buckets=50)
    assert loudness.integrated_lufs is not None
    assert len(waveform) == 50
    assert isolated.measure(files["mp3"]) == loudness
    clip = isolated.normalise(files["mp3"], tmp_path / "clip", trim_silence=True)
    assert clip.loudness.integrated_lufs == pytest.approx(-16, abs=0.5)
    (tmp_path / "clip").unlink()
    (tmp_path / "junk").write_text("no sound")
    with pytest.raises(AudioRefused) as caught:
        isolated.inspect(tmp_path / "junk", Limits())
    assert caught.value.code == "not_audio"
    with pytest.raises(IsolationFailed):
        isolated.normalise(files["mp3"], tmp_path / "clip", bounds=Bounds(file_bytes=4000))
    assert {path.name for path in tmp_path.iterdir()} == {"junk"}


def test_a_server_that_calls_it_loads_no_decoder() -> None:
    code = (
        "import sys, common.audio.isolated, announcements.speech.synthesis, announcements.speech.voices;"
        "print([name for name in ('av', 'numpy', 'django') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=BACKEND, check=True)
    assert ended.stdout.strip() == "[]"
