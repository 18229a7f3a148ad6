"""The environment, parsed once into a typed `Config`.

Pure: every function takes the mapping that it reads. `core.settings` turns the result into Django's settings;
`common.checks` refuses incoherent mixes. Names are the brief's, plus REDIS_URL and the SYNC2GEAR_* ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import quote

Network = IPv4Network | IPv6Network

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off", ""})
LEAST_AUDIT_DAYS = 365
"""The database's own triggers let no younger entry of the audit trail be removed."""
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")


class ConfigurationError(Exception):
    """A setting cannot be read. The message names it and says the mend."""


def parse_bool(name: str, value: str | None, *, default: bool = False) -> bool:
    """`1/true/yes/on` and `0/false/no/off`, in any case; nothing else."""
    if value is None:
        return default
    word = value.strip().lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise ConfigurationError(f"{name}={value!r} is neither yes nor no: set it to True or False.")


def parse_int(name: str, value: str | None, *, default: int, least: int = 0, most: int | None = None) -> int:
    """A whole number of at least `least` and at most `most`."""
    if value is None or not value.strip():
        return default
    try:
        number = int(value)
    except ValueError:
        raise ConfigurationError(f"{name}={value!r} is not a whole number.") from None
    if number < least:
        raise ConfigurationError(f"{name}={number} is too small: it must be at least {least}.")
    if most is not None and number > most:
        raise ConfigurationError(f"{name}={number} is too large: it must be at most {most}.")
    return number


def parse_choice(name: str, value: str | None, *, choices: tuple[str, ...], default: str) -> str:
    """One of `choices`; an empty text is the default."""
    word = (value or "").strip() or default
    if word not in choices:
        raise ConfigurationError(f"{name}={value!r} is not known: say {' or '.join(filter(None, choices))}.")
    return word


def parse_days(name: str, value: str | None, *, default: int, least: int) -> timedelta | None:
    """Whole days, at least `least`; None, for ever, is written as 0."""
    days = parse_int(name, value, default=default, most=36_500)
    if 0 < days < least:
        raise ConfigurationError(f"{name}={days} is too small: it must be at least {least}, or 0 for ever.")
    return timedelta(days=days) if days else None


def parse_list(value: str | None, *, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Comma-separated words, blanks dropped."""
    if value is None:
        return default
    return tuple(word.strip() for word in value.split(",") if word.strip())


def parse_networks(name: str, value: str | None) -> tuple[Network, ...]:
    """Comma-separated networks, as `10.1.0.0/16`; a single address is a network of one."""
    try:
        return tuple(ip_network(word) for word in parse_list(value))
    except ValueError as error:
        raise ConfigurationError(
            f"{name}: {error}; write networks as 10.1.0.0/16, separated by commas."
        ) from None


def parse_location(name: str, value: str | None) -> str:
    """The path of a proxy's location, as `/protected/`; empty if there is none."""
    path = value or ""
    if path and not re.fullmatch(r"/([A-Za-z0-9_-]+/)+", path):
        raise ConfigurationError(f"{name}={path!r} is no location: write it as /protected/.")
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class S3:
    """A bucket for media. `endpoint_url` is for S3-compatible servers, and speakers must reach it too.

    `addressing_style` says where the bucket's name stands in the address: `virtual` in the host, `path` in the path,
    `auto` as boto3 thinks right. `encryption` is S3's ServerSideEncryption: AES256, aws:kms or empty.
    """

    access_key_id: str
    secret_access_key: str
    bucket: str
    region: str
    endpoint_url: str
    addressing_style: str
    encryption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """How mail leaves. Without a host, it is written to the console."""

    host: str
    port: int
    user: str
    password: str
    use_tls: bool
    sender: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """For how long what was written is kept; None: for ever. `core.retention` says what each is about and why."""

    plays: timedelta | None
    play_history: timedelta | None
    music_log: timedelta | None
    deliveries: timedelta | None
    audit: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStart:
    """What `manage.py serve` makes when it finds nothing: a super admin and, if `demo`, a business to look at.

    Without `admin_password` a random one is made and shown once.
    """

    admin_email: str
    admin_password: str
    demo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything the environment says. `redis_url` and `broker_url` are empty in the embedded footprint."""

    data_dir: Path
    host: str
    port: int
    first_start: FirstStart
    debug: bool
    secret_key: str
    secret_key_fallbacks: tuple[str, ...]
    encryption_keys: tuple[str, ...]
    allowed_hosts: tuple[str, ...]
    cors_origins: tuple[str, ...]
    csrf_trusted_origins: tuple[str, ...]
    database_url: str
    redis_url: str
    broker_url: str
    result_backend: str
    use_s3: bool
    s3: S3 | None
    media_move_from: str
    mail: Mail
    public_url: str
    https: bool
    trusted_proxies: int
    web_concurrency: int
    media_accel_prefix: str
    rate_limits: bool
    max_upload_bytes: int
    max_music_minutes: int
    max_announcement_minutes: int
    piper_voices: str
    webhook_networks: tuple[Network, ...]
    webhook_offline_after_s: int
    metrics_token: str
    keep: Keep
    log_level: str
    log_json: bool

    @property
    def embedded(self) -> bool:
        """One process does everything: there is no broker to share work or messages through."""
        return not self.redis_url and not self.broker_url


def read(environ: Mapping[str, str], *, project_root: Path) -> Config:
    """Reads every setting; raises `ConfigurationError` for the first that cannot be understood."""
    get = environ.get
    data_dir = project_root / Path(get("SYNC2GEAR_DATA") or "var").expanduser()
    redis_url = _redis_url(get("REDIS_URL"), get("REDIS_HOST"))
    broker_url = get("CELERY_BROKER_URL") or redis_url
    debug = parse_bool("DEBUG", get("DEBUG"))
    public_url = (get("PUBLIC_URL") or "").rstrip("/")
    return Config(
        data_dir=data_dir,
        host=get("HOST") or "127.0.0.1",
        port=parse_int("PORT", get("PORT"), default=8000, most=65535),
        first_start=FirstStart(
            admin_email=get("SYNC2GEAR_ADMIN_EMAIL") or "admin@sync2gear.example",
            admin_password=get("SYNC2GEAR_ADMIN_PASSWORD") or "",
            demo=parse_bool("SYNC2GEAR_DEMO", get("SYNC2GEAR_DEMO"), default=True),
        ),
        debug=debug,
        secret_key=get("SECRET_KEY") or "",
        secret_key_fallbacks=parse_list(get("SECRET_KEY_FALLBACKS")),
        encryption_keys=parse_list(get("ENCRYPTION_KEYS")),
        allowed_hosts=parse_list(get("ALLOWED_HOSTS"), default=LOOPBACK_HOSTS),
        cors_origins=parse_list(get("CORS_ORIGINS"), default=("http://localhost:3000",)),
        csrf_trusted_origins=parse_list(get("CSRF_TRUSTED_ORIGINS")),
        database_url=get("DATABASE_URL") or f"sqlite:///{quote(str(data_dir / 'sync2gear.sqlite3'))}",
        redis_url=redis_url,
        broker_url=broker_url,
        result_backend=get("CELERY_RESULT_BACKEND") or broker_url,
        use_s3=parse_bool("USE_S3", get("USE_S3")),
        s3=_s3(environ),
        media_move_from=parse_choice(
            "MEDIA_MOVE_FROM", get("MEDIA_MOVE_FROM"), choices=("", "local", "s3"), default=""
        ),
        mail=Mail(
            host=get("EMAIL_HOST") or "",
            port=parse_int("EMAIL_PORT", get("EMAIL_PORT"), default=587, least=1),
            user=get("EMAIL_HOST_USER") or "",
            password=get("EMAIL_HOST_PASSWORD") or "",
            use_tls=parse_bool("EMAIL_USE_TLS", get("EMAIL_USE_TLS"), default=True),
            sender=get("DEFAULT_FROM_EMAIL") or "sync2gear <noreply@localhost>",
        ),
        public_url=public_url,
        https=parse_bool("HTTPS", get("HTTPS"), default=public_url.startswith("https://")),
        trusted_proxies=parse_int("TRUSTED_PROXIES", get("TRUSTED_PROXIES"), default=0),
        web_concurrency=parse_int("WEB_CONCURRENCY", get("WEB_CONCURRENCY"), default=1, least=1),
        media_accel_prefix=parse_location("MEDIA_ACCEL_PREFIX", get("MEDIA_ACCEL_PREFIX")),
        rate_limits=parse_bool("RATE_LIMITS", get("RATE_LIMITS"), default=True),
        max_upload_bytes=parse_int("MAX_UPLOAD_MB", get("MAX_UPLOAD_MB"), default=200, least=1) * 1024 * 1024,
        max_music_minutes=parse_int("MAX_MUSIC_MINUTES", get("MAX_MUSIC_MINUTES"), default=180, least=1),
        max_announcement_minutes=parse_int(
            "MAX_ANNOUNCEMENT_MINUTES", get("MAX_ANNOUNCEMENT_MINUTES"), default=10, least=1
        ),
        piper_voices=get("SYNC2GEAR_PIPER_VOICES") or "",
        webhook_networks=parse_networks("WEBHOOK_NETWORKS", get("WEBHOOK_NETWORKS")),
        webhook_offline_after_s=parse_int(
            "WEBHOOK_OFFLINE_AFTER_S", get("WEBHOOK_OFFLINE_AFTER_S"), default=60, most=86_400
        ),
        metrics_token=get("METRICS_TOKEN") or "",
        # What is younger than a month may still be told of by a speaker that was away.
        keep=Keep(
            plays=parse_days("KEEP_PLAYS_DAYS", get("KEEP_PLAYS_DAYS"), default=400, least=30),
            play_history=parse_days(
                "KEEP_PLAY_HISTORY_DAYS", get("KEEP_PLAY_HISTORY_DAYS"), default=90, least=30
            ),
            music_log=parse_days("KEEP_MUSIC_LOG_DAYS", get("KEEP_MUSIC_LOG_DAYS"), default=730, least=30),
            deliveries=parse_days("KEEP_DELIVERIES_DAYS", get("KEEP_DELIVERIES_DAYS"), default=14, least=3),
            audit=parse_days("KEEP_AUDIT_DAYS", get("KEEP_AUDIT_DAYS"), default=3650, least=LEAST_AUDIT_DAYS),
        ),
        log_level=(get("LOG_LEVEL") or "INFO").upper(),
        log_json=_log_json(get("LOG_FORMAT"), default=bool(redis_url or broker_url)),
    )


def _redis_url(url: str | None, host: str | None) -> str:
    """REDIS_URL wins; the brief's REDIS_HOST means port 6379, database 0."""
    if url:
        return url
    return f"redis://{host}:6379/0" if host else ""


def _log_json(value: str | None, *, default: bool) -> bool:
    """LOG_FORMAT is `json` or `plain`."""
    formats = {"json": True, "plain": False, "": default}
    try:
        return formats[(value or "").strip().lower()]
    except KeyError:
        raise ConfigurationError(f"LOG_FORMAT={value!r} is not known: say json or plain.") from None


def _s3(environ: Mapping[str, str]) -> S3 | None:
    get = environ.get
    bucket = get("AWS_STORAGE_BUCKET_NAME", "")
    if not bucket:
        return None
    return S3(
        access_key_id=get("AWS_ACCESS_KEY_ID", ""),
        secret_access_key=get("AWS_SECRET_ACCESS_KEY", ""),
        bucket=bucket,
        region=get("AWS_S3_REGION_NAME") or "us-east-1",
        endpoint_url=get("AWS_S3_ENDPOINT_URL", ""),
        addressing_style=parse_choice(
            "AWS_S3_ADDRESSING_STYLE",
            get("AWS_S3_ADDRESSING_STYLE"),
            choices=("auto", "path", "virtual"),
            default="auto",
        ),
        encryption=parse_choice(
            "AWS_S3_ENCRYPTION", get("AWS_S3_ENCRYPTION"), choices=("", "AES256", "aws:kms"), default=""
        ),
    )
