"""Gathers many small pieces of work into few large ones.

While one batch is being written, the next one gathers; so the batch grows by itself as the load does, and a
lone item waits for nobody. `linger_s` asks every batch to wait so long before it is written: where many come one by
one and a batch costs much the same whatever its size, a few large ones take less of the processor than many small.
Work that can wait gives way to another batcher while that one has any, at most `GIVES_WAY_S`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Any, Generic, TypeVar

GIVES_WAY_S = 1.0

Item = TypeVar("Item")
Result = TypeVar("Result")


class Overloaded(RuntimeError):
    """More items wait than the batcher may hold."""


class Batcher(Generic[Item, Result]):
    """Calls `write(items)` with all that has gathered; one call runs at a time.

    `write` returns one result for each item, in order; its exception reaches every item of that batch.
    While `before` has work, this one gathers on, at most `GIVES_WAY_S` for a batch. Belongs to one event loop.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        linger_s: float = 0.0,
        largest: int = 1000,
        most_waiting: int = 100_000,
        before: Batcher[Any, Any] | None = None,
    ) -> None:
        self._write = write
        self._linger_s = linger_s
        self._largest = largest
        self._most_waiting = most_waiting
        self._before = before
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._runner: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many items wait for the next batch."""
        return len(self._waiting)

    def submit(self, item: Item) -> asyncio.Future[Result]:
        """Puts `item` into the next batch; raises `Overloaded` when too many wait already."""
        if len(self._waiting) >= self._most_waiting:
            raise Overloaded(f"{len(self._waiting)} items wait to be written")
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._runner is None:
            # In no context: the batch is many callers', and its lines are not about the first of them.
            self._runner = asyncio.get_running_loop().create_task(self._run(), context=Context())
        return future

    async def drain(self) -> None:
        """Returns when everything submitted so far is written."""
        while self._runner is not None:
            await asyncio.shield(self._runner)

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                batch, self._waiting = self._waiting[: self._largest], self._waiting[self._largest :]
                await self._write_one(batch)
        finally:
            self._runner = None

    async def _gather(self) -> None:
        if self._linger_s:
            await asyncio.sleep(self._linger_s)
        if self._before is not None and self._before._runner is not None:
            await asyncio.wait({self._before._runner}, timeout=GIVES_WAY_S)

    async def _write_one(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._write([item for item, _ in batch])
            if len(results) != len(batch):
                raise ValueError(f"{len(batch)} items were written, but {len(results)} results came back")
        except Exception as failure:  # noqa: BLE001  # handed on to everybody who waits for this batch
            for _, future in batch:
                if not future.done():
                    future.set_exception(failure)
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)
