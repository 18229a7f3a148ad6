"""Telling all processes that rows have changed which dashboards show: `tell("music", …)`, after the commit.

What is told is that something changed, never what it is now: that is read where it is shown, by who may see it.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

from django.conf import settings
from django.db import transaction

from devices.bus import publish
from devices.hub import Change, Told
from live.protocol import MOST_IDS, Topic


class Post:
    """Takes changes to the bus from a thread of its own, all that has gathered in one message.

    Whoever writes the ledger must not wait for a Redis that answers nobody. Embedded there is nothing to wait for.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: dict[tuple[Any, ...], Change] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="live-post")

    def send(self, *changes: Change) -> None:
        """Soon; what is told already and has not left is not told twice."""
        if not settings.REDIS_URL:
            publish(Told(list(changes)))
            return
        with self._lock:
            first = not self._waiting
            for change in changes:
                self._waiting[change.topic, change.client, change.floor, *change.keys] = change
        if first:
            self._thread.submit(self._leave)

    def _leave(self) -> None:
        with self._lock:
            changes, self._waiting = list(self._waiting.values()), {}
        publish(Told(changes))


_post = Post()


def _renew() -> None:
    global _post
    _post = Post()


os.register_at_fork(after_in_child=_renew)  # the thread stays with the parent


def tell(topic: Topic, *, client: int, floor: int | None = None, keys: Iterable[Any] = ()) -> None:
    """Rows of this topic have changed for a business, if the transaction commits.

    `floor`: the rows belong to it, and its floor users may be told their keys. Without one, floor users are told that
    something has changed and ask for their own list again. No keys: many.
    """
    named = list(keys)
    change = Change(topic, client, floor, list(map(str, named)) if len(named) <= MOST_IDS else [])
    transaction.on_commit(lambda: _post.send(change))


def tell_plays(events: Iterable[Any]) -> None:
    """These play events were made or have moved."""
    by_place: dict[tuple[int, int | None], list[Any]] = {}
    for event in events:
        by_place.setdefault((event.client_id, event.floor_id), []).append(event.pk)
    for (client, floor), keys in by_place.items():
        tell("plays", client=client, floor=floor, keys=keys)


def tell_plays_at(places: Collection[tuple[int, int | None]]) -> None:
    """Plays were written ahead at these places (client, floor): many, so that none is named."""
    if places:
        changes = [Change("plays", client, floor, []) for client, floor in places]
        transaction.on_commit(lambda: _post.send(*changes))
