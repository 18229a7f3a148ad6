"""Files from outside: examined where they arrived, stored under names of our own, removed when nobody keeps them."""

from __future__ import annotations

import shutil
import tempfile
import unicodedata
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, TypeVar

from django.conf import settings
from django.core.files import File
from django.core.files.uploadedfile import UploadedFile
from django.db import models, transaction
from django.db.models.fields.files import FieldFile
from django.db.models.signals import post_delete

from common.audio import isolated
from common.audio.errors import AudioRefused, IsolationFailed
from common.audio.values import AudioFacts, Limits
from common.errors import Refusal
from common.streaming import EXTENSIONS, give_back_connections

ModelClass = TypeVar("ModelClass", bound=type[models.Model])

AT_ONCE = 4
"""Files that one server process examines at the same time; each takes a process of its own."""

UPLOAD_PROBLEMS = (
    "empty_file",
    "not_audio",
    "no_audio_stream",
    "unsupported_format",
    "truncated",
    "too_long",
    "too_large",
    "unreadable_media",
    "storage_full",
    "storage_unavailable",
)
"""The codes of `examined`, and of a storage that keeps nothing now."""

_room = BoundedSemaphore(AT_ONCE)


def examined(upload: UploadedFile[Any], *, max_ms: int, field: str = "file") -> AudioFacts:
    """The facts of an uploaded sound of at most `max_ms`.

    Raises Refusal with the reason: the codes of `AudioRefused`, or `unreadable_media` when examining it failed.
    """
    limits = Limits(max_bytes=settings.MAX_UPLOAD_BYTES, max_duration_ms=max_ms)
    if (upload.size or 0) > limits.max_bytes:
        megabytes = limits.max_bytes / 1_000_000
        raise Refusal(
            "too_large", f"The file is larger than the {megabytes:g} MB that are allowed.", field=field
        )
    try:
        give_back_connections()
        with _room, _on_disk(upload) as path:
            return isolated.inspect(path, limits)
    except AudioRefused as refused:
        raise Refusal(refused.code, refused.detail, field=field) from refused
    except IsolationFailed as failed:
        raise Refusal(
            "unreadable_media", "Examining this file failed. Please export it again.", field=field
        ) from failed


@contextmanager
def _on_disk(upload: UploadedFile[Any]) -> Iterator[Path]:
    """Where the upload's bytes lie: in Django's own temporary file, or in one of ours for a small upload."""
    if hasattr(upload, "temporary_file_path"):
        yield Path(upload.temporary_file_path())
        return
    with tempfile.NamedTemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR, suffix=".upload") as file:
        for chunk in upload.chunks():
            file.write(chunk)
        file.flush()
        upload.seek(0)
        yield Path(file.name)


def title_of(upload: UploadedFile[Any]) -> str:
    """A name for people, of at most 200 characters, made of the name the file had: no path, no ending."""
    stem = unicodedata.normalize("NFC", Path(upload.name or "").stem.replace("_", " "))
    words = "".join(char if char.isprintable() else " " for char in stem).split()
    return " ".join(words)[:200] or "Untitled"


@contextmanager
def stored(field: Any, content: File[Any], mime: str) -> Iterator[str]:
    """Stores `content` for a FileField and yields its name; the file is removed again if the block raises.

    The name is random: what a user calls a file never becomes a path. Open the transaction inside the block,
    so that a failed commit removes the file too.
    """
    name = field.generate_filename(None, f"{uuid.uuid4().hex}{EXTENSIONS[mime]}")
    content.content_type = mime  # type: ignore[attr-defined]  # remote storages take the type from here
    give_back_connections()  # a bucket takes its time
    try:
        name = field.storage.save(name, content)
        yield name
    except BaseException:
        field.storage.delete(name)
        raise


@contextmanager
def local_copy(file: FieldFile) -> Iterator[Path]:
    """A path where the stored file can be read: its own if the storage is local, else a temporary copy.

    Raises FileNotFoundError when the storage has lost it.
    """
    try:
        own: Path | None = Path(file.path)
    except NotImplementedError:
        own = None
    if own is not None:
        own.stat()
        yield own
        return
    with tempfile.NamedTemporaryFile(suffix=Path(file.name or "").suffix) as copy, file.open("rb") as source:
        shutil.copyfileobj(source, copy)
        copy.flush()
        yield Path(copy.name)


def remove_on_commit(file: FieldFile) -> None:
    """Deletes the stored file once the transaction that drops it has committed."""
    if file.name:
        transaction.on_commit(partial(file.storage.delete, file.name), robust=True)


def owns_files(*fields: str) -> Callable[[ModelClass], ModelClass]:
    """Class decorator: when a row is deleted, by whatever way, the files in `fields` go with it."""

    def decorate(model: ModelClass) -> ModelClass:
        def deleted(sender: Any, instance: Any, **kwargs: Any) -> None:
            for name in fields:
                remove_on_commit(getattr(instance, name))

        post_delete.connect(deleted, sender=model, weak=False, dispatch_uid=f"files-of-{model._meta.label}")
        return model

    return decorate
