"""All kinds of media in a real bucket: kept, prepared by the jobs, served by its links, replaced, removed."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import httpx
import pytest
from PIL import Image

from announcements import clips
from announcements.models import Announcement, SpeechClip
from common import clock
from common.environment import S3
from common.tests.sounds import passing, queue, sound, upload
from core.headers import policy_for
from music.models import MusicFile
from testing.s3 import client_of, in_bucket

__all__ = ["passing", "queue"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("everything")]


@pytest.fixture(autouse=True)
def bucket_in_use(bucket: S3, settings: Any) -> S3:
    """The configured storage is this bucket."""
    settings.STORAGES = in_bucket(settings.STORAGES, bucket)
    return bucket


def objects(s3: S3) -> dict[str, int]:
    """What the bucket holds, with sizes, looked at past our code."""
    look = client_of(s3.endpoint_url).get_paginator("list_objects_v2")
    return {
        entry["Key"]: entry["Size"]
        for page in look.paginate(Bucket=s3.bucket)
        for entry in page.get("Contents", ())
    }


def fetched(api: Any, path: str, **headers: str) -> httpx.Response:
    """What a client gets that follows our redirect to the bucket, as browsers and speakers do."""
    answer = api.get(path)
    assert answer.status_code == 302, answer.content
    assert answer["Cache-Control"] == "private, no-store"
    return httpx.get(answer["Location"], headers=headers)


def test_music(shop: Any, call: Any, queue: Any, bucket: S3) -> None:
    api, content = call(shop.admin), sound("wav", seconds=2)
    kept = api.post("/api/music/upload/", {"file": upload(content)}, format="multipart")
    assert kept.status_code == 201, kept.data
    queue.run()
    music = MusicFile.objects.get()
    assert (music.status, music.gain_db != 0) == ("ready", True)
    assert objects(bucket) == {music.file.name: len(content)}

    for path in (f"/api/music/{music.pk}/stream/", api.get(f"/api/music/{music.pk}/").data["audio_url"]):
        whole, part = fetched(api, path), fetched(api, path, Range="bytes=10-19")
        assert (whole.status_code, whole.content) == (200, content)
        assert (part.status_code, part.content) == (206, content[10:20])
        assert whole.headers["content-type"] == "audio/wav"
    assert api.delete(f"/api/music/{music.pk}/").status_code == 204
    assert objects(bucket) == {}


def test_an_uploaded_announcement_and_its_next_chime(shop: Any, call: Any, queue: Any, bucket: S3) -> None:
    api = call(shop.admin)
    form = {"title": "Tea", "type": "uploaded", "file": upload(sound("wav"))}
    path = f"/api/announcements/{api.post('/api/announcements/', form, format='multipart').data['id']}/"
    queue.run()
    first = Announcement.objects.get()
    assert first.status == "ready", first.failure_detail
    assert set(objects(bucket)) == {first.audio_file.name, first.source_file.name}

    assert api.patch(path, {"chime": "ding"}).status_code == 200
    queue.run()
    second = Announcement.objects.get()
    assert second.audio_file.name != first.audio_file.name
    assert set(objects(bucket)) == {second.audio_file.name, second.source_file.name}
    heard = fetched(api, api.get(path).data["audio_url"])
    assert hashlib.sha256(heard.content).hexdigest() == second.sha256
    assert heard.headers["content-type"] == "audio/mpeg"


def test_spoken_words_and_their_cache(shop: Any, call: Any, queue: Any, bucket: S3) -> None:
    api = call(shop.admin)
    made = api.post("/api/announcements/tts/generate/", {"title": "T", "text": "Tea is ready."})
    queue.run()
    spoken = Announcement.objects.get(pk=made.data["id"])
    assert (spoken.status, set(objects(bucket))) == ("ready", {spoken.audio_file.name})

    key = clips.key_of(kind="openai", model="m", voice="v", language="en", text="Tea")
    clip = dict(
        mime="audio/mpeg", duration_ms=1000, kind="openai", voice="v", model="m", cost_usd=0, now=clock.now()
    )
    clips.keep(client_id=shop.client.pk, key=key, audio=sound(), **clip)
    assert clips.find(client_id=shop.client.pk, key=key, now=clock.now()) is not None
    client_of(bucket.endpoint_url).delete_object(Bucket=bucket.bucket, Key=SpeechClip.objects.get().file.name)
    assert clips.find(client_id=shop.client.pk, key=key, now=clock.now()) is None


def test_a_picture(shop: Any, call: Any, bucket: S3) -> None:
    api = call(shop.admin)
    for colour in ("red", "blue"):
        file = io.BytesIO()
        Image.new("RGB", (80, 60), colour).save(file, "PNG")
        answer = api.put(
            "/api/auth/me/avatar/", {"file": upload(file.getvalue(), "me.png")}, format="multipart"
        )
        assert answer.status_code == 200, answer.data
    assert len(objects(bucket)) == 1, "the one before is removed"
    assert fetched(api, answer.data["avatar"]).headers["content-type"] == "image/webp"


def test_pages_may_load_from_the_bucket(bucket: S3) -> None:
    for word in ("img-src", "media-src", "connect-src"):
        (rule,) = [part for part in policy_for("/admin/").split("; ") if part.startswith(word)]
        assert rule.endswith(f" {bucket.endpoint_url}")
    assert bucket.endpoint_url not in policy_for("/api/")


def test_a_bucket_that_lost_the_file(shop: Any, call: Any, queue: Any, bucket: S3) -> None:
    api = call(shop.admin)
    api.post("/api/music/upload/", {"file": upload(sound())}, format="multipart")
    music = MusicFile.objects.get()
    client_of(bucket.endpoint_url).delete_object(Bucket=bucket.bucket, Key=music.file.name)
    queue.run()
    music.refresh_from_db()
    assert (music.status, music.failure_code) == ("failed", "file_lost")


def test_a_bucket_that_is_away_keeps_nothing(
    shop: Any, call: Any, queue: Any, bucket: S3, settings: Any
) -> None:
    settings.STORAGES = in_bucket(settings.STORAGES, bucket, endpoint_url="http://127.0.0.1:9")
    answer = call(shop.admin).post("/api/music/upload/", {"file": upload(sound())}, format="multipart")
    assert (answer.status_code, answer.data["code"]) == (503, "storage_unavailable")
    assert answer["Retry-After"] == "60"
    assert not MusicFile.objects.exists()
