"""A real S3 endpoint for tests: moto's server in a process of its own, in memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import boto3
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

from common.environment import S3
from testing.servers import PATIENCE_S, ServerDidNotStart, free_port

KEYS = {"access_key_id": "testing", "secret_access_key": "testing", "region": "eu-central-1"}

PAGE = 5
"""Entries of one page of a listing; S3's own have 1,000."""


def client_of(endpoint: str) -> Any:
    """A plain client of this endpoint, for looking at what the code under test did."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=KEYS["region"],
        aws_access_key_id=KEYS["access_key_id"],
        aws_secret_access_key=KEYS["secret_access_key"],
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=2),
    )


def fresh_bucket(endpoint: str) -> S3:
    """A new, empty bucket there."""
    name = f"sounds-{uuid4().hex[:12]}"
    client_of(endpoint).create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": KEYS["region"]}
    )
    return S3(bucket=name, endpoint_url=endpoint, addressing_style="path", encryption="", **KEYS)


def in_bucket(storages: dict[str, Any], s3: S3, **changed: str) -> dict[str, Any]:
    """`STORAGES` with this bucket as the storage in use."""
    options = {"s3": replace(s3, **changed), "longest_play_s": 3 * 3600}
    there = {"BACKEND": "common.s3.S3Media", "OPTIONS": options}
    return storages | {"default": there, "s3": there}


def environment_of(s3: S3) -> dict[str, str]:
    """The variables by which a server process finds this bucket."""
    return {
        "AWS_STORAGE_BUCKET_NAME": s3.bucket,
        "AWS_ACCESS_KEY_ID": s3.access_key_id,
        "AWS_SECRET_ACCESS_KEY": s3.secret_access_key,
        "AWS_S3_REGION_NAME": s3.region,
        "AWS_S3_ENDPOINT_URL": s3.endpoint_url,
        "AWS_S3_ADDRESSING_STYLE": s3.addressing_style,
    }


@contextmanager
def running() -> Iterator[str]:
    """The server's address. It checks no signatures, and forgets everything when the block ends."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # As with S3 itself, a page of another origin reads what the bucket's CORS rules allow, and nothing else.
        env={**os.environ, "MOTO_S3_DEFAULT_MAX_KEYS": str(PAGE), "MOTO_DISABLE_GLOBAL_CORS": "true"},
    )
    endpoint = f"http://127.0.0.1:{port}"
    try:
        _await(endpoint, server)
        yield endpoint
    finally:
        server.kill()
        server.wait()


def _await(endpoint: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    client = client_of(endpoint)
    while True:
        try:
            client.list_buckets()
        except EndpointConnectionError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise ServerDidNotStart("moto's server did not start") from error
            time.sleep(0.05)
        else:
            return
