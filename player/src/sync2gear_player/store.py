"""The state folder: who this speaker is, and what it must remember over a restart.

    identity.json  server, device id, token, paths (0600)     plan.json   the last good plan and its ETag
    clock.json     drift, and the offset within this boot      desired.json  the applied desired state
    journal.db     see `journal`                               cache/      see `cache`

Each JSON file is replaced as a whole (write, fsync, rename), so that a cut of power leaves the old or the new.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from sync2gear_player.documents import DocumentError, build

T = TypeVar("T")

log = logging.getLogger(__name__)


class StateError(Exception):
    """The state folder cannot be used; the message is a sentence for the user."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What the server gave this speaker when it was claimed. `server` is its origin, as in `http://host:8000`."""

    server: str
    token: str
    device_id: str
    ws_path: str
    plan_url: str


@dataclass(frozen=True, kw_only=True)
class KeptClock:
    """The clock as it was believed last. Offset and error hold only within the boot named; drift beyond it."""

    boot_id: str
    at_us: float
    offset_us: float
    drift: float
    error_us: int
    contact_us: float


@dataclass(frozen=True, kw_only=True)
class KeptState:
    """The desired state applied last, and whether a person stopped the music here."""

    rev: int
    volume: int
    muted: bool
    output_delay_ms: int
    silenced: bool
    stopped: bool


class StateFolder:
    """Opens the folder, makes it private, and holds it for one speaker."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.chmod(0o700)
            self._lock = (path / "lock").open("w")
        except OSError as error:
            raise StateError(
                f"The state folder {path} cannot be used ({error.strerror}): choose another with --state."
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise StateError(
                f"Another speaker runs with the state folder {path}: stop it, or choose another with --state."
            ) from error

    def close(self) -> None:
        """Lets another speaker have the folder."""
        self._lock.close()

    def load(self, name: str, cls: type[T]) -> T | None:
        """The dataclass kept as `name`.json; None if there is none, or it does not fit any more."""
        document = self.load_document(name)
        if document is None:
            return None
        try:
            return build(cls, document)
        except DocumentError as error:
            log.warning("%s.json is not understood (%s): it is ignored", name, error)
            return None

    def load_document(self, name: str) -> Any | None:
        """The JSON kept as `name`.json, or None."""
        path = self.path / f"{name}.json"
        if not path.exists():
            return None
        try:
            return json.loads(path.read_bytes())
        except ValueError as error:
            log.warning("%s is damaged (%s): it is ignored", path.name, error)
            return None

    def forget(self, *names: str) -> None:
        """Removes these JSON files."""
        for name in names:
            (self.path / f"{name}.json").unlink(missing_ok=True)

    def save(self, name: str, value: Any) -> None:
        """Keeps a dataclass or a JSON object as `name`.json, readable by the owner alone."""
        document = value if isinstance(value, Mapping) else asdict(value)
        write_atomically(self.path / f"{name}.json", json.dumps(document).encode())


def write_atomically(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replaces a file as a whole: written beside it, fsync'd, renamed."""
    beside = path.with_name(f".{path.name}.tmp")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
