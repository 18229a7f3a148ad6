"""Settings that contradict each other: every check fires for its own mix, and for no sound one."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.checks import contradictions
from common.environment import read

PRODUCTION = {
    "REDIS_URL": "redis://r/0",
    "DATABASE_URL": "postgresql://u@h/d",
    "SECRET_KEY": "x" * 50,
    "ENCRYPTION_KEYS": "k",
    "ALLOWED_HOSTS": "shop.example",
}


def ids(environ: dict[str, str]) -> set[str]:
    found = list(contradictions(read(environ, project_root=Path("/srv"))))
    assert all(message.hint for message in found), "each says its mend"
    return {str(message.id).removeprefix("sync2gear.") for message in found}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, set()),
        ({"DEBUG": "1"}, set()),
        ({"DEBUG": "1", "ALLOWED_HOSTS": "*"}, set()),
        (PRODUCTION, set()),
        (PRODUCTION | {"USE_S3": "1", "AWS_STORAGE_BUCKET_NAME": "b"}, set()),
        (PRODUCTION | {"WEB_CONCURRENCY": "4"}, set()),
        ({"WEB_CONCURRENCY": "2"}, {"E001"}),
        (PRODUCTION | {"DEBUG": "1"}, {"E002"}),
        (PRODUCTION | {"ALLOWED_HOSTS": "shop.example,*"}, {"E003"}),
        ({"ALLOWED_HOSTS": "*"}, {"E003"}),
        (PRODUCTION | {"ENCRYPTION_KEYS": ""}, {"E004"}),
        (PRODUCTION | {"DATABASE_URL": ""}, {"E005"}),
        (PRODUCTION | {"USE_S3": "1"}, {"E006"}),
        ({"MEDIA_MOVE_FROM": "local"}, {"E010"}),
        ({"USE_S3": "1", "AWS_STORAGE_BUCKET_NAME": "b", "MEDIA_MOVE_FROM": "s3"}, {"E010"}),
        ({"USE_S3": "1", "AWS_STORAGE_BUCKET_NAME": "b", "MEDIA_MOVE_FROM": "local"}, set()),
        ({"MEDIA_MOVE_FROM": "s3"}, {"E011"}),
        ({"AWS_STORAGE_BUCKET_NAME": "b", "MEDIA_MOVE_FROM": "s3"}, set()),
        (PRODUCTION | {"REDIS_URL": "", "CELERY_BROKER_URL": "amqp://b"}, {"E007"}),
        ({"EMAIL_HOST": "mail.example"}, {"E008"}),
        ({"EMAIL_HOST": "mail.example", "PUBLIC_URL": "http://sound.example"}, set()),
        ({"PUBLIC_URL": "https://sound.example"}, {"E009"}),
        ({"HTTPS": "yes"}, {"E009"}),
        ({"PUBLIC_URL": "https://sound.example", "HTTPS": "no"}, set()),
        ({"PUBLIC_URL": "https://sound.example", "TRUSTED_PROXIES": "1"}, set()),
        ({"DATABASE_URL": "postgresql://u@h/d"}, {"W001"}),
    ],
)
def test_contradictions(environ: dict[str, str], expected: set[str]) -> None:
    assert ids(environ) == expected
