"""The environment: what each setting accepts, what it defaults to, and how a wrong one is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common import environment
from common.environment import Config, ConfigurationError

ROOT = Path("/srv/sync2gear")


def read(**environ: str) -> Config:
    return environment.read(environ, project_root=ROOT)


@pytest.mark.parametrize(
    ("value", "default", "expected"),
    [
        (None, True, True),
        (None, False, False),
        ("", True, False),
        ("1", False, True),
        ("True", False, True),
        (" YES ", False, True),
        ("on", False, True),
        ("0", True, False),
        ("false", True, False),
        ("No", True, False),
        ("off", True, False),
    ],
)
def test_bool(value: str | None, default: bool, expected: bool) -> None:
    assert environment.parse_bool("X", value, default=default) is expected


def test_networks() -> None:
    assert read().webhook_networks == ()
    networks = read(WEBHOOK_NETWORKS="10.1.0.0/16, fd00::/8,192.168.1.7").webhook_networks
    assert [str(network) for network in networks] == ["10.1.0.0/16", "fd00::/8", "192.168.1.7/32"]


@pytest.mark.parametrize("value", ["10.1.0.1/16", "10.1.0.0/40", "example.com"])
def test_what_is_no_network_says_how_to_write_one(value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"WEBHOOK_NETWORKS: .+; write networks as 10.1.0.0/16"):
        read(WEBHOOK_NETWORKS=value)


@pytest.mark.parametrize("value", ["protected/", "/protected", "/", "//", "/a/../", "/a b/", "/a/\r\nX: y/"])
def test_what_is_no_location_says_how_to_write_one(value: str) -> None:
    assert read(MEDIA_ACCEL_PREFIX="/protected/media/").media_accel_prefix == "/protected/media/"
    with pytest.raises(ConfigurationError, match=r"write it as /protected/"):
        read(MEDIA_ACCEL_PREFIX=value)


@pytest.mark.parametrize("value", ["2", "y", "enabled", "none"])
def test_a_bool_that_is_neither_names_the_setting(value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"DEBUG='{value}' is neither yes nor no"):
        environment.parse_bool("DEBUG", value)


@pytest.mark.parametrize(
    ("value", "expected"), [(None, 7), ("", 7), (" ", 7), ("3", 3), (" 9 ", 9), ("10", 10)]
)
def test_int(value: str | None, expected: int) -> None:
    assert environment.parse_int("X", value, default=7, least=3, most=10) == expected


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("2", "at least 3"),
        ("11", "at most 10"),
        ("3.5", "not a whole number"),
        ("many", "not a whole number"),
    ],
)
def test_an_int_out_of_reach_says_what_is_in_reach(value: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        environment.parse_int("X", value, default=7, least=3, most=10)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ("d",)),
        ("", ()),
        (" , ", ()),
        ("a", ("a",)),
        (" a.example , b.example,", ("a.example", "b.example")),
    ],
)
def test_list(value: str | None, expected: tuple[str, ...]) -> None:
    assert environment.parse_list(value, default=("d",)) == expected


def test_nothing_configured_is_the_embedded_footprint_on_loopback() -> None:
    config = read()
    assert config.embedded
    assert (config.host, config.port) == ("127.0.0.1", 8000)
    assert config.allowed_hosts == ("localhost", "127.0.0.1", "[::1]")
    assert config.data_dir == ROOT / "var"
    assert config.database_url == "sqlite:////srv/sync2gear/var/sync2gear.sqlite3"
    assert not config.debug
    assert not config.https
    assert config.s3 is None
    assert config.first_start.demo


@pytest.mark.parametrize(
    ("environ", "attribute", "expected"),
    [
        ({"REDIS_URL": "redis://r:1/2"}, "redis_url", "redis://r:1/2"),
        ({"REDIS_URL": "redis://r:1/2"}, "broker_url", "redis://r:1/2"),
        ({"REDIS_URL": "redis://r:1/2"}, "result_backend", "redis://r:1/2"),
        ({"REDIS_URL": "redis://r:1/2"}, "embedded", False),
        ({"REDIS_HOST": "cache"}, "redis_url", "redis://cache:6379/0"),
        ({"REDIS_HOST": "cache", "REDIS_URL": "redis://r/0"}, "redis_url", "redis://r/0"),
        ({"CELERY_BROKER_URL": "amqp://b"}, "broker_url", "amqp://b"),
        ({"CELERY_BROKER_URL": "amqp://b"}, "result_backend", "amqp://b"),
        ({"CELERY_BROKER_URL": "amqp://b"}, "embedded", False),
        ({"REDIS_URL": "redis://r/0", "CELERY_RESULT_BACKEND": "db+x"}, "result_backend", "db+x"),
        ({"DATABASE_URL": "postgresql://u@h/d"}, "database_url", "postgresql://u@h/d"),
        ({"SYNC2GEAR_DATA": "/data"}, "data_dir", Path("/data")),
        ({"SYNC2GEAR_DATA": "shop"}, "data_dir", ROOT / "shop"),
        ({"SYNC2GEAR_DATA": "/a b"}, "database_url", "sqlite:////a%20b/sync2gear.sqlite3"),
        ({"HOST": "0.0.0.0", "PORT": ""}, "host", "0.0.0.0"),  # noqa: S104
        ({"PORT": "0"}, "port", 0),
        ({"ALLOWED_HOSTS": "a.example,b.example"}, "allowed_hosts", ("a.example", "b.example")),
        ({"CORS_ORIGINS": ""}, "cors_origins", ()),
        ({"PUBLIC_URL": "https://s.example/"}, "public_url", "https://s.example"),
        ({"PUBLIC_URL": "https://s.example/"}, "https", True),
        ({"PUBLIC_URL": "https://s.example", "HTTPS": "no"}, "https", False),
        ({"ENCRYPTION_KEYS": "new, old"}, "encryption_keys", ("new", "old")),
        ({"MAX_UPLOAD_MB": "2"}, "max_upload_bytes", 2 * 1024 * 1024),
        ({"LOG_LEVEL": "debug"}, "log_level", "DEBUG"),
    ],
)
def test_what_a_setting_does(environ: dict[str, str], attribute: str, expected: Any) -> None:
    assert getattr(read(**environ), attribute) == expected


def test_first_start() -> None:
    wanted = read(
        SYNC2GEAR_ADMIN_EMAIL="me@shop.example", SYNC2GEAR_ADMIN_PASSWORD="p", SYNC2GEAR_DEMO="0"
    ).first_start
    assert (wanted.admin_email, wanted.admin_password, wanted.demo) == ("me@shop.example", "p", False)


def test_s3_and_mail() -> None:
    config = read(
        USE_S3="True",
        AWS_ACCESS_KEY_ID="id",
        AWS_SECRET_ACCESS_KEY="secret",
        AWS_STORAGE_BUCKET_NAME="sounds",
        AWS_S3_ENDPOINT_URL="https://s3.example",
        AWS_S3_ADDRESSING_STYLE="path",
        AWS_S3_ENCRYPTION="aws:kms",
        MEDIA_MOVE_FROM="local",
        EMAIL_HOST="mail.example",
        EMAIL_PORT="25",
        EMAIL_USE_TLS="off",
    )
    assert config.s3 is not None
    assert (config.s3.bucket, config.s3.region) == ("sounds", "us-east-1")
    assert config.s3.endpoint_url == "https://s3.example"
    assert (config.s3.addressing_style, config.s3.encryption) == ("path", "aws:kms")
    assert (config.use_s3, config.media_move_from) == (True, "local")
    assert (config.mail.host, config.mail.port, config.mail.use_tls) == ("mail.example", 25, False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("DEBUG", "maybe"),
        ("WEB_CONCURRENCY", "0"),
        ("EMAIL_PORT", "smtp"),
        ("MEDIA_MOVE_FROM", "disk"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name}="):
        read(**{name: value})


def test_reading_touches_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("read() must be pure")

    methods: list[Callable[..., Any]] = [Path.mkdir, Path.open, Path.touch]
    for method in methods:
        monkeypatch.setattr(Path, method.__name__, refuse)
    read(SYNC2GEAR_DATA=str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()
