"""For the tests of every app with sounds: files of all kinds, what must be refused, jobs one by one, clean disks."""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from common import jobs
from common.audio.encode import write_audio

RATE = 48_000


@lru_cache(maxsize=32)
def sound(codec: str = "mp3", *, seconds: float = 1.0, hz: float = 440.0, title: str = "") -> bytes:
    """The bytes of a tone in this format."""
    time = np.arange(round(seconds * RATE)) / RATE
    samples = np.stack([0.2 * np.sin(2 * np.pi * hz * time)] * 2).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tone"
        write_audio(
            path, samples, RATE, codec, tags={"title": title, "artist": "The Testers"} if title else None
        )
        return path.read_bytes()


def upload(content: bytes, name: str = "tone.mp3", mime: str = "audio/mpeg") -> SimpleUploadedFile:
    """An upload as a browser sends it; name and type are what the sender claims."""
    return SimpleUploadedFile(name, content, content_type=mime)


def ten_hours() -> bytes:
    """A WAV header that promises ten hours of mono sound, and a second of it."""
    rate, width = 44_100, 2
    promised = 10 * 3600 * rate * width
    form = struct.pack(
        "<4sI4s4sIHHIIHH", b"RIFF", promised + 36, b"WAVE", b"fmt ", 16, 1, 1, rate, rate * width, width, 16
    )
    return form + struct.pack("<4sI", b"data", promised) + bytes(rate * width)


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "a text named .mp3": (lambda: b"Milk, eggs, bread\n" * 50, "not_audio"),
    "an image": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(500), "not_audio"),
    "nothing at all": (lambda: b"", "empty_file"),
    "half a FLAC": (lambda: sound("flac")[: len(sound("flac")) // 2], "truncated"),
    "half an MP3": (lambda: sound("mp3")[: len(sound("mp3")) // 2], "truncated"),
    "ten hours of header": (ten_hours, "truncated"),
    "AIFF": (lambda: b"FORM\x00\x00\x01\x00AIFF" + bytes(500), "unsupported_format"),
}
"""What is no upload: how to make it, and the code of its refusal."""


class Queue:
    """Stands in for the executor: keeps the jobs that a commit started, and runs them when told."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Any, tuple[Any, ...]]] = []

    def start(self, task: Any, ids: tuple[Any, ...], missed: Any) -> None:
        """Takes the place of `jobs._start`."""
        self.waiting.append((task, ids))

    @property
    def names(self) -> list[tuple[str, Any]]:
        """Name and ids of what waits."""
        return [(task.name, *ids) for task, ids in self.waiting]

    def run(self) -> None:
        """Runs what waits, in order."""
        while self.waiting:
            task, ids = self.waiting.pop(0)
            task(*ids)


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Queue:
    """The jobs that were enqueued, in the hands of the test."""
    queue = Queue()
    monkeypatch.setattr(jobs, "_start", queue.start)
    return queue


@pytest.fixture
def commit(django_capture_on_commit_callbacks: Any) -> Callable[[], AbstractContextManager[Any]]:
    """`with commit(): …` runs afterwards what waits for the commit, as outside of a test."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture(autouse=True)
def passing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Path]:
    """The folder of all passing files; when the test is over there must be none left."""
    folder = tmp_path / "passing"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    settings.FILE_UPLOAD_TEMP_DIR = str(folder)
    yield folder
    assert list(folder.iterdir()) == []


def kept(settings: Any) -> list[str]:
    """The stored files, by their place in the storage."""
    root = Path(settings.MEDIA_ROOT)
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
