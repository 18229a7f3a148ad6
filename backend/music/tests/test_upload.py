"""Uploading: what is kept, what is refused, and that a refusal leaves nothing behind."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from audit.models import AuditLog
from clients.models import Client
from common.media_fields import Readiness
from common.tests.sounds import BAD, kept, sound, upload
from music.models import MusicFile

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("everything")]

URL = "/api/music/upload/"


@pytest.mark.parametrize(
    ("codec", "mime", "ending"),
    [
        ("mp3", "audio/mpeg", ".mp3"),
        ("wav", "audio/wav", ".wav"),
        ("flac", "audio/flac", ".flac"),
        ("vorbis", "audio/ogg", ".ogg"),
        ("opus", "audio/ogg", ".ogg"),
        ("aac", "audio/mp4", ".m4a"),
        ("webm", "audio/webm", ".webm"),
    ],
)
def test_kept_for_what_it_is(shop, call, commit, queue, settings, codec, mime, ending):
    """The name and the type that the sender claims decide nothing."""
    body = {"file": upload(sound(codec), "../../etc/evil.exe", "text/html")}
    with commit():
        answer = call(shop.admin).post(URL, body, format="multipart")
    assert answer.status_code == 201, answer.data
    assert answer.data["mime_type"] == mime
    assert answer.data["file_size"] == len(sound(codec))
    assert abs(answer.data["duration_ms"] - 1000) <= 1
    assert answer.data["duration"] == 1
    assert answer.data["status"] == "processing"
    assert answer.data["name"] == "evil"
    (stored,) = kept(settings)
    assert stored.startswith("music/")
    assert stored.endswith(ending)
    assert "evil" not in stored
    assert queue.names == [("music.measure_music", answer.data["id"])]


def test_large_upload_is_moved_not_copied(shop, call, settings):
    """One that Django spools to its temporary folder leaves nothing there."""
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 10
    settings.FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
    answer = call(shop.admin).post(URL, {"file": upload(sound("wav"))}, format="multipart")
    assert answer.status_code == 201
    assert len(kept(settings)) == 1


def test_becomes_ready(shop, call, commit, queue):
    """The job measures: two sines of amplitude 0.2 have a true peak of −14 dBTP and −14.7 LUFS."""
    with commit():
        answer = call(shop.admin).post(URL, {"file": upload(sound("wav"))}, format="multipart")
    queue.run()
    music = MusicFile.objects.get(pk=answer.data["id"])
    assert music.status == Readiness.READY
    assert music.true_peak_dbtp == pytest.approx(-13.98, abs=0.1)
    assert music.loudness_lufs == pytest.approx(-14.67, abs=0.1)
    assert music.gain_db == pytest.approx(-16 - music.loudness_lufs)


@pytest.mark.parametrize(
    ("form", "title", "expected"),
    [
        ({}, "", {"name": "My Song", "artist": ""}),
        ({}, "From the tag", {"name": "From the tag", "artist": "The Testers"}),
        ({"name": "Mine", "artist": "Me"}, "From the tag", {"name": "Mine", "artist": "Me"}),
        ({"genre": "Jazz", "album": "A"}, "", {"genre": "Jazz", "album": "A"}),
        ({"name": ""}, "From the tag", {"name": "From the tag"}),
    ],
)
def test_names_and_tags(shop, call, form, title, expected):
    body = form | {"file": upload(sound("mp3", title=title), "My_Song.mp3")}
    answer = call(shop.admin).post(URL, body, format="multipart")
    assert answer.status_code == 201, answer.data
    assert {name: answer.data[name] for name in expected} == expected


@pytest.mark.parametrize("case", BAD)
def test_bad_input(shop, call, commit, queue, settings, case):
    """Each is refused with its code and a sentence; nothing is stored, recorded or enqueued."""
    make, code = BAD[case]
    with commit():
        answer = call(shop.admin).post(URL, {"file": upload(make())}, format="multipart")
    assert (answer.status_code, answer.data["code"]) == (400, code), answer.data
    assert answer.data["detail"].endswith(".")
    assert answer.data["errors"][0]["field"] == "file"
    assert kept(settings) == []
    assert not MusicFile.objects.exists()
    assert queue.names == []


@pytest.mark.parametrize(
    ("setting", "value", "code"), [("MAX_UPLOAD_BYTES", 5000, "too_large"), ("MAX_MUSIC_MS", 500, "too_long")]
)
def test_limits(shop, call, settings, setting, value, code):
    setattr(settings, setting, value)
    answer = call(shop.admin).post(URL, {"file": upload(sound())}, format="multipart")
    assert (answer.status_code, answer.data["code"]) == (400, code)
    assert kept(settings) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "file"),
        ({"file": "not a file"}, "file.0"),
        ({"file": upload(sound()), "isrc": "nonsense"}, "isrc"),
        ({"file": upload(sound()), "name": "x" * 256}, "name"),
    ],
)
def test_bad_forms(shop, call, settings, body, field):
    answer = call(shop.admin).post(URL, body, format="multipart")
    assert (answer.status_code, answer.data["code"]) == (400, "validation_failed")
    assert answer.data["errors"][0]["field"] == field
    assert kept(settings) == []


def test_json_is_no_upload(shop, call):
    answer = call(shop.admin).post(URL, {"file": "x"}, format="json")
    assert (answer.status_code, answer.data["code"]) == (415, "unsupported_media_type")


def test_failed_write_leaves_no_file(shop, call, commit, queue, settings, monkeypatch):
    """The database refuses after the file was stored."""

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the disk of the database is full")

    monkeypatch.setattr(MusicFile, "save", refuse)
    with pytest.raises(RuntimeError), commit():
        call(shop.admin).post(URL, {"file": upload(sound())}, format="multipart")
    assert kept(settings) == []
    assert queue.names == []


def test_examination_that_fails_refuses(shop, call, settings, monkeypatch):
    """A decoder that crashes on a file takes only its own process along."""
    from common.audio import isolated
    from common.audio.errors import IsolationFailed

    def crash(*args: Any, **kwargs: Any) -> None:
        raise IsolationFailed("crashed", "The process was ended by SIGSEGV.")

    monkeypatch.setattr(isolated, "inspect", crash)
    answer = call(shop.admin).post(URL, {"file": upload(sound())}, format="multipart")
    assert (answer.status_code, answer.data["code"]) == (400, "unreadable_media")
    assert kept(settings) == []


def test_several_files(shop, call, commit, queue, settings):
    """201 when all are kept, and each has its place."""
    body = {"file": [upload(sound(hz=hz), f"{hz}.mp3") for hz in (300, 400)], "artist": "Both"}
    with commit():
        answer = call(shop.admin).post(URL, body, format="multipart")
    assert answer.status_code == 201
    assert [found["music"]["name"] for found in answer.data["results"]] == ["300", "400"]
    assert {found["music"]["artist"] for found in answer.data["results"]} == {"Both"}
    assert len(kept(settings)) == len(queue.names) == 2


def test_several_files_some_bad(shop, call, settings):
    """207: the good ones are kept, the bad ones say why."""
    body = {"file": [upload(b"", "a.mp3"), upload(sound(), "b.mp3"), upload(b"text " * 99, "c.mp3")]}
    answer = call(shop.admin).post(URL, body, format="multipart")
    assert answer.status_code == 207
    results = answer.data["results"]
    assert [(found["file"], found["status"]) for found in results] == [
        ("a.mp3", 400),
        ("b.mp3", 201),
        ("c.mp3", 400),
    ]
    assert [found["problem"] and found["problem"]["code"] for found in results] == [
        "empty_file",
        None,
        "not_audio",
    ]
    assert len(kept(settings)) == MusicFile.objects.count() == 1


def test_several_files_all_bad(shop, call, settings):
    body = {"file": [upload(b"", "a.mp3"), upload(b"text " * 99, "c.mp3")]}
    answer = call(shop.admin).post(URL, body, format="multipart")
    assert (answer.status_code, answer.data["code"]) == (400, "validation_failed")
    assert [(error["field"], error["code"]) for error in answer.data["errors"]] == [
        ("file.0", "empty_file"),
        ("file.1", "not_audio"),
    ]
    assert kept(settings) == []


def test_several_files_have_no_one_name(shop, call):
    body = {"file": [upload(sound()), upload(sound())], "name": "Both"}
    answer = call(shop.admin).post(URL, body, format="multipart")
    assert answer.status_code == 400
    assert answer.data["errors"][0]["field"] == "name"


def test_too_many_files(shop, call):
    answer = call(shop.admin).post(URL, {"file": [upload(b"") for _ in range(21)]}, format="multipart")
    assert answer.status_code == 400
    assert answer.data["errors"][0]["field"] == "file"


def test_duplicates_are_kept_and_told(shop, other_shop, staff, call):
    """The same content again, in the same business; another's is nobody's concern, not even of staff."""

    def post(business: Any) -> Any:
        body = {"file": upload(sound()), "client": business.client.pk}
        return call(staff).post(URL, body, format="multipart").data

    theirs, first, second = post(other_shop), post(shop), post(shop)
    assert (theirs["duplicate_of"], first["duplicate_of"], second["duplicate_of"]) == (
        None,
        None,
        first["id"],
    )
    assert first["sha256"] == second["sha256"]
    paths = MusicFile.objects.values_list("file", flat=True)
    assert len(set(paths)) == 3


def test_audited(shop, call):
    answer = call(shop.admin).post(URL, {"file": upload(sound())}, format="multipart")
    entry = AuditLog.objects.get(resource="music", resource_id=str(answer.data["id"]))
    assert (entry.action, entry.user_id, entry.client_id) == ("upload", shop.admin.pk, shop.client.pk)


@pytest.mark.parametrize(
    ("who", "client", "status", "code"),
    [
        (None, None, 401, "not_authenticated"),
        ("floor_user", None, 403, "permission_denied"),
        ("admin", None, 201, None),
        ("admin", "own", 201, None),
        ("admin", "other", 400, "validation_failed"),
        ("staff", None, 400, "validation_failed"),
        ("staff", "other", 201, None),
    ],
)
def test_who_may(shop, other_shop, staff, call, settings, who, client, status, code):
    person = {None: None, "staff": staff}.get(who, getattr(shop, who or "", None))
    named = {None: {}, "own": {"client": shop.client.pk}, "other": {"client": other_shop.client.pk}}[client]
    answer = call(person).post(URL, named | {"file": upload(sound())}, format="multipart")
    assert (answer.status_code, answer.data.get("code")) == (status, code)
    assert len(kept(settings)) == (status == 201)
    if status == 201:
        assert MusicFile.objects.get().client == (other_shop if client == "other" else shop).client


@pytest.mark.parametrize(("state", "code", "status"), [("suspended", "client_suspended", 403)])
def test_locked_business(shop, call, settings, state, code, status):
    Client.objects.filter(pk=shop.client.pk).update(status=state)
    answer = call(shop.admin).post(URL, {"file": upload(sound())}, format="multipart")
    assert (answer.status_code, answer.data["code"]) == (status, code)
    assert kept(settings) == []


@pytest.mark.parametrize("full", ["storage", "passing"])
def test_a_full_disk_keeps_nothing(shop, call, queue, settings, monkeypatch, full):
    """Of the media, or of the passing files."""

    def without_room(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    places = {
        "storage": "django.core.files.storage.filesystem.locks.lock",  # once the file is there, before its bytes
        "passing": "tempfile.NamedTemporaryFile",
    }
    monkeypatch.setattr(places[full], without_room)
    answer = call(shop.admin).post(URL, {"file": upload(sound())}, format="multipart")
    assert (answer.status_code, answer.data["code"]) == (507, "storage_full")
    assert kept(settings) == []
    assert not MusicFile.objects.exists()
    assert queue.names == []
