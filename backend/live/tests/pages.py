"""A dashboard's end of a socket, over a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from asgiref.sync import sync_to_async
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken
from websockets.asyncio.client import connect

from devices.tests.shop_floor import Speaker
from live.protocol import SUBPROTOCOL
from users.models import User
from users.tokens import bound


class Page(Speaker):
    """Says hello, then listens. `shown`: the speakers of which it was told in passing."""

    def __init__(self, ws: Any) -> None:
        super().__init__(ws)
        self.shown: set[int] = set()

    async def hears_change(self, topic: str) -> list[str] | None:
        """The keys of the next change of this topic, whatever else changes."""
        while topic not in (message := await self.hears("changed"))["topics"]:
            pass
        keys: list[str] | None = message["topics"][topic]
        return keys

    async def hears_device(self, pk: int) -> dict[str, Any]:
        """The next state of this speaker that is not part of the whole list."""
        while True:
            message = await self.hears("devices", fresh=False)
            self.shown.update(state["id"] for state in message["devices"])
            for state in message["devices"]:
                if state["id"] == pk:
                    return dict(state)


def ticket_of(user: User, client: int | None = None, token: Any = None) -> str:
    """A ticket from the API."""
    caller = APIClient()
    caller.credentials(HTTP_AUTHORIZATION=f"Bearer {token or bound(AccessToken.for_user(user), user)}")
    answer = caller.post("/api/auth/ws-ticket/", {} if client is None else {"client": client})
    assert answer.status_code == 201, answer.json()
    return str(answer.json()["ticket"])


@asynccontextmanager
async def socket(port: int, *offered: str, **headers: str) -> AsyncIterator[Page]:
    """A connection that has said nothing yet."""
    protocols: Any = list(offered)
    async with connect(
        f"ws://127.0.0.1:{port}/ws/dashboard/",
        subprotocols=protocols or None,
        additional_headers=headers,
        max_size=None,
        close_timeout=1,
    ) as ws:
        yield Page(ws)


@asynccontextmanager
async def page(
    server: Any, user: User, *, client: int | None = None, token: Any = None, as_of: int | None = None
) -> AsyncIterator[Page]:
    """A welcomed page; `welcome` and the list of speakers are still to be heard."""
    ticket = await sync_to_async(ticket_of)(user, client, token)
    async with socket(server.port, SUBPROTOCOL, f"ticket.{ticket}") as one:
        await one.say("hello", as_of=as_of)
        yield one
