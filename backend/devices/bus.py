"""From anywhere in the code to every process's hub: `publish(message)` after the commit.

A hub in this process is handed the message on its event loop. In production it goes besides through one Redis
channel, to which each web process subscribes once. A lost message loses nothing: what is due stands in
the database, and is read again on connect, on a timer and on a wake-up.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import msgspec
import redis
import redis.asyncio
from django.conf import settings
from django.db import transaction

from devices.hub import HubMessage, decode_hub_messages, encode_hub_messages

logger = logging.getLogger(__name__)

CHANNEL = "sync2gear:hub"
RETRY_S = 1.0
TOGETHER = 50
"""Messages that cross the bus as one: a tick has a thousand, and each costs every process its way through Redis."""
SENDER_BYTES = 8
NO_HUB = bytes(SENDER_BYTES)
"""Sent by a process that has no hub of its own."""


@dataclass(frozen=True, slots=True)
class _Here:
    """The hub of this process."""

    loop: asyncio.AbstractEventLoop
    dispatch: Callable[[HubMessage], None]
    sender: bytes = field(default_factory=lambda: secrets.token_bytes(SENDER_BYTES))
    """Stands before what this process sends: its own hub has it already when it comes back."""

    def hand_over(self, messages: Sequence[HubMessage]) -> None:
        """From any thread."""
        if not self.loop.is_closed():
            for message in messages:
                self.loop.call_soon_threadsafe(self.dispatch, message)

    def receive(self, data: bytes) -> None:
        """What comes over the bus."""
        if data.startswith(self.sender):
            return
        try:
            messages = decode_hub_messages(data[SENDER_BYTES:])
        except msgspec.DecodeError:  # a process of another version speaks on the bus while they are exchanged
            logger.exception("a message of the bus cannot be read; devices will learn it from the database")
            return
        for message in messages:
            self.dispatch(message)


_here: _Here | None = None


def publish(*messages: HubMessage) -> None:
    """Sends these to all hubs now, in order, in one trip to the bus; to this process's own without it.

    Never raises: the database stays the truth when the bus is down.
    """
    here = _here
    if here is not None:
        here.hand_over(messages)
    if not settings.REDIS_URL:
        return
    sender = NO_HUB if here is None else here.sender
    try:
        with _redis(settings.REDIS_URL).pipeline(transaction=False) as trip:
            for first in range(0, len(messages), TOGETHER):
                trip.publish(CHANNEL, sender + encode_hub_messages(messages[first : first + TOGETHER]))
            trip.execute()
    except redis.RedisError as error:
        logger.warning("the bus is down, devices will learn it from the database: %s", error)


def publish_on_commit(*messages: HubMessage) -> None:
    """Sends these once the current transaction has committed, and never if it rolls back."""
    transaction.on_commit(lambda: publish(*messages))


@lru_cache(maxsize=1)
def _redis(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)


async def subscribe(
    dispatch: Callable[[HubMessage], None], resubscribed: Callable[[], Awaitable[None]]
) -> None:
    """Feeds this process's hub until cancelled.

    `resubscribed` runs after each gap in the subscription, in which messages may have been lost.
    """
    global _here
    here = _here = _Here(asyncio.get_running_loop(), dispatch)
    try:
        if settings.REDIS_URL:
            await _listen(here, resubscribed)
        else:
            await asyncio.Event().wait()
    finally:
        if _here is here:
            _here = None


async def _listen(here: _Here, resubscribed: Callable[[], Awaitable[None]]) -> None:
    while True:
        client = redis.asyncio.Redis.from_url(
            settings.REDIS_URL, socket_timeout=None, health_check_interval=10
        )
        try:
            async with client, client.pubsub(ignore_subscribe_messages=True) as pubsub:
                await pubsub.subscribe(CHANNEL)
                await resubscribed()
                async for message in pubsub.listen():
                    here.receive(message["data"])
        except redis.RedisError as error:
            logger.warning("the bus is down, trying again: %s", error)
        except Exception:
            logger.exception("the bus failed, trying again")
        await asyncio.sleep(RETRY_S)
