"""System checks: settings that contradict each other stop the start, with a sentence that says the mend."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, Warning, register

from common.environment import Config


@register("sync2gear")
def coherent_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every contradiction in the settings in force."""
    from django.conf import settings

    return list(contradictions(settings.CONFIG))


def contradictions(config: Config) -> Iterator[CheckMessage]:
    """Pure: the contradictions of one configuration."""
    sqlite = config.database_url.startswith("sqlite")
    if config.embedded and config.web_concurrency > 1:
        yield Error(
            "Several web processes share no messages without Redis.",
            hint="Set REDIS_URL, or WEB_CONCURRENCY=1.",
            id="sync2gear.E001",
        )
    if not config.embedded and config.debug:
        yield Error(
            "DEBUG is on in a production footprint.",
            hint="Set DEBUG=False, or unset REDIS_URL, REDIS_HOST and CELERY_BROKER_URL to run embedded.",
            id="sync2gear.E002",
        )
    if "*" in config.allowed_hosts and not config.debug:
        yield Error(
            "ALLOWED_HOSTS=* lets anybody forge the Host header.",
            hint="List the names under which this server is reached, separated by commas.",
            id="sync2gear.E003",
        )
    if not config.embedded and not config.encryption_keys:
        yield Error(
            "There is no key to encrypt secrets with.",
            hint="Set ENCRYPTION_KEYS to the output of `manage.py new_encryption_key`.",
            id="sync2gear.E004",
        )
    if not config.embedded and sqlite:
        yield Error(
            "Redis and Celery mean several processes, and SQLite serves one.",
            hint="Set DATABASE_URL to a PostgreSQL database.",
            id="sync2gear.E005",
        )
    if config.use_s3 and config.s3 is None:
        yield Error(
            "USE_S3 is on but no bucket is named.", hint="Set AWS_STORAGE_BUCKET_NAME.", id="sync2gear.E006"
        )
    if config.media_move_from == ("s3" if config.use_s3 else "local"):
        yield Error(
            "MEDIA_MOVE_FROM names the storage that media go to.",
            hint="Name the one they come from, or unset it.",
            id="sync2gear.E010",
        )
    elif config.media_move_from == "s3" and config.s3 is None:
        yield Error(
            "MEDIA_MOVE_FROM=s3, but no bucket is named.",
            hint="Set AWS_STORAGE_BUCKET_NAME.",
            id="sync2gear.E011",
        )
    if config.mail.host and not config.public_url:
        yield Error(
            "The links in our mails would lead to this machine alone.",
            hint="Set PUBLIC_URL to the address that people use, as https://sound.example.com.",
            id="sync2gear.E008",
        )
    if config.https and not config.trusted_proxies:
        yield Error(
            "HTTPS is on, and no proxy is trusted to say that a request came by it.",
            hint="Set TRUSTED_PROXIES to how many proxies of yours stand in front, or HTTPS=False to serve plain HTTP.",
            id="sync2gear.E009",
        )
    if config.broker_url and not config.redis_url:
        yield Error(
            "Jobs go through a broker, but web processes and workers share no messages.",
            hint="Set REDIS_URL as well as CELERY_BROKER_URL.",
            id="sync2gear.E007",
        )
    if config.embedded and not sqlite:
        yield Warning(
            "PostgreSQL without Redis runs embedded: exactly one process may serve.",
            hint="Set REDIS_URL to run several processes.",
            id="sync2gear.W001",
        )
