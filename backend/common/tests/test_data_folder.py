"""The data folder: private, writable or told, and one secret however many start at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from common.data_folder import generated_secret, prepare_folder
from common.environment import ConfigurationError


def test_a_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "var"
    prepare_folder(folder)
    prepare_folder(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_is_told_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"file/var cannot be written .* set SYNC2GEAR_DATA"):
        prepare_folder(tmp_path / "file" / "var")


def test_a_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    secret = generated_secret(path)
    assert len(secret) >= 50
    assert generated_secret(path) == secret
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_two_folders_have_two_secrets(tmp_path: Path) -> None:
    assert generated_secret(tmp_path / "a") != generated_secret(tmp_path / "b")


def test_many_that_start_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        secrets = set(pool.map(lambda _: generated_secret(tmp_path / "key", kind="fernet"), range(64)))
    assert len(secrets) == 1
    Fernet(secrets.pop())
