"""The bucket against a real S3 endpoint: links, ranges, types, failures."""

from __future__ import annotations

import io
import threading
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.core.files.base import ContentFile
from django.db.models import FileField
from django.db.models.fields.files import FieldFile
from django.test import RequestFactory

from common import uploads
from common.environment import S3
from common.errors import StorageUnavailable
from common.s3 import S3Media
from common.streaming import Sound, sound_response
from music.models import MusicFile
from testing.s3 import PAGE, client_of
from testing.servers import free_port

DATA = bytes(range(256)) * 40


def opened(s3: S3) -> S3Media:
    return S3Media(s3=s3, longest_play_s=3 * 3600)


@pytest.fixture
def media(bucket: S3) -> S3Media:
    return opened(bucket)


def sound_in(media: S3Media, data: bytes = DATA) -> Sound:
    content = ContentFile(data)
    content.content_type = "text/html"  # what was claimed once must not decide what is served
    name = media.save("music/2026/01/a.mp3", content)
    file: Any = FieldFile(None, FileField(storage=media), name)
    return Sound(file=file, sha256="cafe", mime="audio/mpeg", name="Tea \u2615")


def link_to(media: S3Media, method: str = "GET") -> str:
    request = RequestFactory().generic(method, "/")
    answer = sound_response(request, sound_in(media), cache_control="private, max-age=86400, immutable")
    assert (answer.status_code, answer["Cache-Control"]) == (302, "private, no-store")
    return str(answer["Location"])


def test_a_link_serves_the_sound_as_what_it_is(media: S3Media) -> None:
    answer = httpx.get(link_to(media))
    assert (answer.status_code, answer.content) == (200, DATA)
    assert answer.headers["content-type"] == "audio/mpeg"
    assert answer.headers["content-disposition"].startswith("inline; filename*=utf-8''Tea")
    assert answer.headers["cache-control"] == "private, max-age=86400, immutable"


def test_a_link_honours_range(media: S3Media) -> None:
    answer = httpx.get(link_to(media), headers={"Range": "bytes=100-199"})
    assert (answer.status_code, answer.content) == (206, DATA[100:200])
    assert answer.headers["content-range"] == f"bytes 100-199/{len(DATA)}"


def test_a_link_for_head_is_signed_for_head(media: S3Media) -> None:
    """The method is part of what is signed."""
    get, head = link_to(media), link_to(media, "HEAD")
    assert httpx.head(head).headers["content-length"] == str(len(DATA))
    signed = [parse_qs(urlsplit(link).query)["X-Amz-Signature"] for link in (get, head)]
    assert signed[0] != signed[1]


def test_a_link_outlives_the_longest_sound(media: S3Media) -> None:
    query = parse_qs(urlsplit(link_to(media)).query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == [str(4 * 3600)]


@pytest.mark.parametrize(("style", "host"), [("path", "s3.example.com"), ("virtual", "{}.s3.example.com")])
def test_where_the_bucket_stands_in_the_address(bucket: S3, style: str, host: str) -> None:
    there = replace(bucket, endpoint_url="https://s3.example.com", addressing_style=style)
    link = opened(there).link("a", method="GET", mime="audio/mpeg", disposition="inline", cache_control="")
    assert urlsplit(link).netloc == host.format(bucket.bucket)
    assert urlsplit(link).path == (f"/{bucket.bucket}/a" if style == "path" else "/a")


def test_objects_have_no_acl_and_may_be_encrypted(bucket: S3) -> None:
    look = client_of(bucket.endpoint_url)
    for encryption in ("", "AES256"):
        name = opened(replace(bucket, encryption=encryption)).save("music/x.mp3", ContentFile(b"x"))
        facts = look.head_object(Bucket=bucket.bucket, Key=name)
        assert facts.get("ServerSideEncryption", "") == encryption
        grants = look.get_object_acl(Bucket=bucket.bucket, Key=name)["Grants"]
        assert [grant["Permission"] for grant in grants] == ["FULL_CONTROL"]


def test_a_name_is_never_given_twice_but_put_replaces(media: S3Media) -> None:
    first = media.save("music/x.mp3", ContentFile(b"one"))
    assert media.save("music/x.mp3", ContentFile(b"two")) != first
    media.put(first, io.BytesIO(b"three"))
    with media.open(first) as file:
        assert file.read() == b"three"


def test_a_listing_goes_over_pages_and_keeps_to_its_folder(media: S3Media) -> None:
    names = {f"music/{number}.mp3" for number in range(7)}
    for name in (*names, "musicals/a.mp3", "other.mp3"):
        media.put(name, io.BytesIO(b"12345"))
    assert len(names) > PAGE
    found = list(media.listing("music"))
    assert {stored.name for stored in found} == names
    assert {stored.size for stored in found} == {5}
    assert list(media.listing("nothing")) == []


def test_one_connection_serves_all_threads(media: S3Media) -> None:
    """To make one takes a tenth of a second, and each request has a thread of its own."""
    seen: list[Any] = []
    threads = [threading.Thread(target=lambda: seen.append(media.connection)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(each) for each in seen}) == 1


def test_reading_one_that_is_gone(media: S3Media) -> None:
    for read in (media.open, media.size):
        with pytest.raises(FileNotFoundError):
            read("music/gone.mp3")
    media.delete("music/gone.mp3")


def test_a_large_file_is_read_from_a_disk(media: S3Media) -> None:
    """`local_copy` never has all of it in memory."""
    media.put("music/large.mp3", io.BytesIO(bytes(2 * 1024 * 1024)))
    with media.open("music/large.mp3") as file:
        file.read(1)
        assert file.file._rolled


def test_a_failed_row_takes_its_object_along(media: S3Media, monkeypatch: pytest.MonkeyPatch) -> None:
    field = MusicFile._meta.get_field("file")
    monkeypatch.setattr(field, "storage", media)

    def keep() -> None:
        with uploads.stored(field, ContentFile(b"x"), "audio/flac") as name:
            facts = client_of(media.endpoint_url).head_object(Bucket=media.bucket_name, Key=name)
            assert facts["ContentType"] == "audio/flac"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keep()
    assert list(media.listing("music")) == []


def test_what_fails_is_told_plainly(bucket: S3) -> None:
    away = opened(replace(bucket, endpoint_url=f"http://127.0.0.1:{free_port()}"))
    no_bucket = opened(replace(bucket, bucket="no-such-bucket"))
    with pytest.raises(StorageUnavailable):
        away.save("music/x.mp3", ContentFile(b"x"))
    with pytest.raises(FileNotFoundError):
        no_bucket.save("music/x.mp3", ContentFile(b"x"))
