"""Media in a bucket of S3, or of a server that is compatible with it (MinIO, Ceph, R2)."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import IO, Any
from urllib.parse import urlsplit

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage

from common.environment import S3
from common.errors import StorageUnavailable
from common.storages import Stored

_MEBIBYTE = 1024 * 1024
_LONGEST_LINK_S = 7 * 24 * 3600  # S3's own bound of a signed link


def _options(s3: S3, longest_play_s: int) -> dict[str, Any]:
    """The settings of django-storages for this bucket.

    A link outlives the longest sound by an hour: players fetch a long one piece by piece while it plays. Objects carry
    no ACL, so they are as private as their bucket; buckets of today refuse ACLs (S3's "bucket owner enforced", R2).
    Checksums beyond S3's first ones, which boto3 would add, are unknown to older compatible servers.
    """
    return {
        # None lets boto3 look for itself: the role of the machine, a profile.
        "access_key": s3.access_key_id or None,
        "secret_key": s3.secret_access_key or None,
        "bucket_name": s3.bucket,
        "region_name": s3.region,
        "endpoint_url": s3.endpoint_url or None,
        "querystring_auth": True,
        "querystring_expire": min(longest_play_s + 3600, _LONGEST_LINK_S),
        "file_overwrite": False,
        "default_acl": None,
        "object_parameters": {"ServerSideEncryption": s3.encryption} if s3.encryption else {},
        "max_memory_size": _MEBIBYTE,
        # One request on the caller's own thread: constant memory, and a killed process leaves no parts in the bucket.
        "transfer_config": TransferConfig(
            multipart_threshold=1024 * _MEBIBYTE, multipart_chunksize=64 * _MEBIBYTE, use_threads=False
        ),
        "client_config": Config(
            signature_version="s3v4",
            s3={"addressing_style": s3.addressing_style},
            connect_timeout=5,
            read_timeout=30,
            retries={"mode": "standard", "max_attempts": 3},
            max_pool_connections=32,
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    }


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Every failure of S3 as an OSError, like a disk's: full, not there, or `StorageUnavailable`."""
    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status == 404:
            raise FileNotFoundError(errno.ENOENT, "The bucket does not hold it") from error
        if status == 507:
            raise OSError(errno.ENOSPC, "The bucket's server has no room left") from error
        raise StorageUnavailable(errno.EIO, "The bucket refused") from error
    except (BotoCoreError, Boto3Error) as error:
        raise StorageUnavailable(errno.EIO, "The bucket does not answer") from error


class S3Media(S3Storage):  # type: ignore[misc]  # comes without types
    """A bucket. The longest sound plays for `longest_play_s`."""

    def __init__(self, *, s3: S3, longest_play_s: int) -> None:
        super().__init__(**_options(s3, longest_play_s))
        self._shared: Any = None
        self._making = threading.Lock()

    @property
    def connection(self) -> Any:
        """One for all threads. To make one takes 0.1 s, and under ASGI each request has a thread of its own.

        boto3's clients may be shared; its resources hold nothing besides but what they were made for, and none of
        those made here is.
        """
        with self._making:
            if self._shared is None:
                self._shared = self._create_session().resource(
                    "s3",
                    region_name=self.region_name,
                    endpoint_url=self.endpoint_url,
                    config=self.client_config,
                )
            return self._shared

    @cached_property
    def origin(self) -> str:
        """Where its links lead (RFC 6454), for a page's policy."""
        parts = urlsplit(self.url("origin"))
        return f"{parts.scheme}://{parts.netloc}"

    def _open(self, name: str, mode: str = "rb") -> Any:
        with _told_plainly():
            return super()._open(name, mode)

    def _save(self, name: str, content: Any) -> str:
        with _told_plainly():
            return str(super()._save(name, content))

    def size(self, name: str) -> int:
        """Its bytes. Raises FileNotFoundError."""
        with _told_plainly():
            return int(super().size(name))

    def exists(self, name: str) -> bool:
        """Whether it is there."""
        with _told_plainly():
            return bool(super().exists(name))

    def delete(self, name: str) -> None:
        """Removes it; one that is not there is no error."""
        with _told_plainly():
            super().delete(name)

    def put(self, name: str, content: IO[bytes]) -> None:
        """S3 shows an object only when it has all of it."""
        self._save(name, content)

    def listing(self, folder: str) -> Iterator[Stored]:
        """See the module."""
        pages = self.connection.meta.client.get_paginator("list_objects_v2")
        with _told_plainly():
            for page in pages.paginate(Bucket=self.bucket_name, Prefix=f"{folder.rstrip('/')}/"):
                for entry in page.get("Contents", ()):
                    yield Stored(entry["Key"], entry["Size"], entry["LastModified"])

    def link(self, name: str, *, method: str, mime: str, disposition: str, cache_control: str) -> str:
        """A signed link for this method, whose answer has these headers whatever the object was stored with."""
        headers = {
            "ResponseContentType": mime,
            "ResponseContentDisposition": disposition,
            "ResponseCacheControl": cache_control,
        }
        return str(self.url(name, parameters=headers, http_method=method))
