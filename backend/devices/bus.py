"""From anywhere in the code to every process's hub: `publish(message)` after the commit.

Embedded, the hub is in this process and the message is handed to its event loop. In production it goes through
one Redis channel to which each web process subscribes once. A lost message loses nothing: what is due stands in
the database, and is read again on connect, on a timer and on a wake-up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import lru_cache

import msgspec
import redis
import redis.asyncio
from django.conf import settings
from django.db import transaction

from devices.hub import HubMessage, decode_hub_message, encode_hub_message

logger = logging.getLogger(__name__)

CHANNEL = "sync2gear:hub"
RETRY_S = 1.0

_local: tuple[asyncio.AbstractEventLoop, Callable[[HubMessage], None]] | None = None


def publish(*messages: HubMessage) -> None:
    """Sends these to all hubs now, in order and in one trip to the bus.

    Never raises: the database stays the truth when the bus is down.
    """
    if settings.REDIS_URL:
        try:
            with _redis(settings.REDIS_URL).pipeline(transaction=False) as trip:
                for message in messages:
                    trip.publish(CHANNEL, encode_hub_message(message))
                trip.execute()
        except redis.RedisError as error:
            logger.warning("the bus is down, devices will learn it from the database: %s", error)
    elif _local is not None:
        loop, dispatch = _local
        if not loop.is_closed():
            for message in messages:
                loop.call_soon_threadsafe(dispatch, message)


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
    global _local
    if not settings.REDIS_URL:
        _local = (asyncio.get_running_loop(), dispatch)
        try:
            await asyncio.Event().wait()
        finally:
            if _local is not None and _local[1] == dispatch:
                _local = None
        return
    while True:
        client = redis.asyncio.Redis.from_url(
            settings.REDIS_URL, socket_timeout=None, health_check_interval=10
        )
        try:
            async with client, client.pubsub(ignore_subscribe_messages=True) as pubsub:
                await pubsub.subscribe(CHANNEL)
                await resubscribed()
                async for message in pubsub.listen():
                    _hand_over(message["data"], dispatch)
        except redis.RedisError as error:
            logger.warning("the bus is down, trying again: %s", error)
        except Exception:
            logger.exception("the bus failed, trying again")
        await asyncio.sleep(RETRY_S)


def _hand_over(data: bytes, dispatch: Callable[[HubMessage], None]) -> None:
    try:
        message = decode_hub_message(data)
    except msgspec.DecodeError:  # a process of another version speaks on the bus while they are exchanged
        logger.exception("a message of the bus cannot be read; devices will learn it from the database")
    else:
        dispatch(message)
