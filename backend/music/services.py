"""Writing music: keeping uploads, changing their tags."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from audit.services import changes_named
from clients.models import Client
from common import preparation
from common.media_fields import Readiness
from common.preparation import whole_seconds
from common.rows import lock_row
from common.uploads import examined, stored, title_of
from music.models import MusicFile
from music.tasks import measure_music
from users.models import User

TAGS = ("artist", "album", "genre", "isrc")
EDITABLE = ("name", *TAGS)


def upload_music(
    *,
    client: Client,
    created_by: User | None,
    upload: UploadedFile[Any],
    given: Mapping[str, str],
    now: datetime,
) -> MusicFile:
    """Keeps an uploaded track and asks for its measuring; the row is `processing` until then.

    `given` may hold any of EDITABLE and wins over the file's own tags; a track without a title is named like
    its file. Raises Refusal with the reason, and then keeps nothing.
    """
    facts = examined(upload, max_ms=settings.MAX_MUSIC_MS)
    tags = {tag: given.get(tag) or getattr(facts.tags, tag) for tag in TAGS}
    with stored(MusicFile._meta.get_field("file"), upload, facts.mime) as name, transaction.atomic():
        music = MusicFile(
            client=client,
            created_by=created_by,
            name=given.get("name") or facts.tags.title or title_of(upload),
            file=name,
            file_size=facts.bytes,
            mime_type=facts.mime,
            sha256=facts.sha256,
            duration_ms=facts.duration_ms,
            duration=whole_seconds(facts.duration_ms),
            status=Readiness.PROCESSING,
            queued_at=now,
            **tags,
        )
        music.full_clean(exclude={"created_by"})
        with changes_named("upload"):
            music.save()
        preparation.ask(measure_music, MusicFile, music.pk)
    return music


@transaction.atomic
def update_music(*, music: MusicFile, changes: Mapping[str, str]) -> MusicFile:
    """Changes any of EDITABLE, and no other column, so that a measurement meanwhile is not undone."""
    locked: MusicFile = lock_row(MusicFile.objects.all(), music.pk)
    for name, value in changes.items():
        setattr(locked, name, value)
    locked.full_clean(exclude={"created_by"})
    locked.save(update_fields=list(changes))
    return locked
