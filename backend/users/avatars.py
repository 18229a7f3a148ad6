"""Pictures of people: kept under a random name, and served by signed links."""

from __future__ import annotations

from typing import Any

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from common import clock
from common.errors import Refusal
from common.media_urls import media_url
from common.streaming import Sound
from common.uploads import remove_on_commit, stored
from users import pictures
from users.models import User

MEDIA_KIND = "avatar"


def set_avatar(*, user: User, upload: UploadedFile[Any], field: str = "file") -> User:
    """Gives a person this picture, square and small; the one before is removed. Returns them as stored.

    Raises Refusal: the codes of `pictures.square`, or `not_found` when the person is gone meanwhile.
    """
    picture = pictures.square(upload, size=upload.size or 0, field=field)
    column = User._meta.get_field("avatar")
    with stored(column, ContentFile(picture), pictures.MIME) as name, transaction.atomic():
        return _replaced(user, name)


@transaction.atomic
def remove_avatar(*, user: User) -> User:
    """Takes a person's picture away; doing it twice is no error. Returns them as stored.

    Raises Refusal `not_found` when the person is gone meanwhile.
    """
    return _replaced(user, None)


def avatar_url(user: User) -> str | None:
    """A link to the person's picture that lives for a day, relative to the server's root; None without one."""
    return media_url(MEDIA_KIND, user.pk, _content(user), now=clock.now())[0] if user.avatar else None


def media_picture(pk: int, content: str) -> Sound | None:
    """What a signed link serves: the picture, while it is still the person's."""
    user = User.everyone.filter(pk=pk).first()
    if user is None or not user.avatar or _content(user) != content:
        return None
    return Sound(file=user.avatar, sha256=content, mime=pictures.MIME, name="avatar")


def _content(user: User) -> str:
    """What stands for the picture in links and as its ETag: the random part of its name, never given twice."""
    return str(user.avatar.name).rpartition("/")[2].partition(".")[0]


def _replaced(user: User, name: str | None) -> User:
    locked = User.everyone.select_for_update().filter(pk=user.pk).first()
    if locked is None:
        raise Refusal("not_found", "This person is gone.")
    if name is not None or locked.avatar:
        remove_on_commit(locked.avatar)
        locked.avatar = name
        locked.save(update_fields=["avatar"])
    return locked
