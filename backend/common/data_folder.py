"""The folder that holds everything of the embedded footprint, and the secrets generated into it once."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Literal

from cryptography.fernet import Fernet

from common.environment import ConfigurationError


def prepare_folder(folder: Path) -> None:
    """Makes the folder, readable by its owner only; raises `ConfigurationError` when it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = folder / f".probe-{os.getpid()}-{secrets.token_hex(4)}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigurationError(
            f"The data folder {folder} cannot be written ({error.strerror}): make it writable, or set"
            " SYNC2GEAR_DATA to a folder of your own."
        ) from error


def generated_secret(path: Path, *, kind: Literal["text", "fernet"] = "text") -> str:
    """The secret in `path`, made at the first call. Two processes that start at once agree on one."""
    if not path.exists():
        value = Fernet.generate_key().decode() if kind == "fernet" else secrets.token_urlsafe(50)
        draft = path.with_suffix(f".{os.getpid()}-{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(value)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # atomic: the first one wins
        draft.unlink()
    return path.read_text().strip()
