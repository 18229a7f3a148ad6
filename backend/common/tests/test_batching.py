"""Batches: what comes while one is written goes into the next, in order, and everybody hears of their own item."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import batching
from common.batching import Batcher, Overloaded


class Store:
    """Writes numbers as their squares, one batch at a time, when it is let."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = asyncio.Event()
        self.gate = asyncio.Event()
        self.running = 0

    async def write(self, items: Sequence[int]) -> list[int]:
        self.running += 1
        assert self.running == 1, "one write at a time"
        self.batches.append(list(items))
        self.begun.set()
        await self.gate.wait()
        self.running -= 1
        if -1 in items:
            raise ValueError("cannot store -1")
        return [item * item for item in items]


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_what_comes_during_a_write_goes_into_the_next() -> None:
    store = Store()
    batcher = Batcher(store.write)
    first = batcher.submit(1)
    await turns()
    rest = [batcher.submit(number) for number in (2, 3, 4)]
    await turns()
    assert store.batches == [[1]]
    assert batcher.waiting == 3
    store.gate.set()
    assert await asyncio.gather(first, *rest) == [1, 4, 9, 16]
    assert store.batches == [[1], [2, 3, 4]]


async def test_a_lone_item_waits_for_nobody_and_a_burst_lingers() -> None:
    store = Store()
    store.gate.set()
    batcher = Batcher(store.write, linger_s=0.02)
    futures = [batcher.submit(1)]
    await asyncio.sleep(0.001)
    futures.append(batcher.submit(2))
    assert await asyncio.gather(*futures) == [1, 4]
    assert store.batches == [[1, 2]]


async def test_the_batch_after_a_batch_lingers_too() -> None:
    store = Store()
    batcher = Batcher(store.write, linger_s=0.02)
    futures = [batcher.submit(1)]
    await store.begun.wait()
    futures.append(batcher.submit(2))
    store.gate.set()
    await turns()
    futures.append(batcher.submit(3))
    await asyncio.gather(*futures)
    assert store.batches == [[1], [2, 3]]


async def test_one_gives_way_to_another_while_that_has_work() -> None:
    first, second = Store(), Store()
    second.gate.set()
    before = Batcher(first.write)
    after = Batcher(second.write, linger_s=0.001, before=before)
    held_up = before.submit(1)
    futures = [after.submit(2)]
    await asyncio.sleep(0.02)
    futures.append(after.submit(3))
    assert second.batches == []
    first.gate.set()
    assert await asyncio.gather(held_up, *futures) == [1, 4, 9]
    assert second.batches == [[2, 3]]


async def test_nobody_gives_way_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "GIVES_WAY_S", 0.02)
    first, second = Store(), Store()
    second.gate.set()
    before = Batcher(first.write)
    after = Batcher(second.write, linger_s=0.001, before=before)
    held_up = before.submit(1)
    assert await asyncio.wait_for(after.submit(2), 5) == 4
    assert not held_up.done()
    first.gate.set()
    assert await held_up == 1


async def test_a_failure_reaches_its_own_batch_and_no_other() -> None:
    store = Store()
    store.gate.set()
    batcher = Batcher(store.write, largest=2)
    futures = [batcher.submit(number) for number in (1, -1, 3, 4)]
    results = await asyncio.gather(*futures, return_exceptions=True)
    assert [type(result) for result in results] == [ValueError, ValueError, int, int]
    assert results[2:] == [9, 16]


async def test_a_write_that_returns_too_few_results_fails_its_batch_and_hangs_nobody() -> None:
    async def forgetful(items: Sequence[int]) -> list[int]:
        return [1]

    batcher = Batcher(forgetful)
    futures = [batcher.submit(1), batcher.submit(2)]
    results = await asyncio.wait_for(asyncio.gather(*futures, return_exceptions=True), 5)
    assert all(isinstance(result, ValueError) for result in results)
    assert await asyncio.wait_for(batcher.submit(3), 5) == 1


async def test_too_many_waiting_items_are_refused() -> None:
    store = Store()
    batcher = Batcher(store.write, most_waiting=2)
    futures = [batcher.submit(number) for number in (1, 2)]
    with pytest.raises(Overloaded):
        batcher.submit(3)
    store.gate.set()
    assert await asyncio.gather(*futures) == [1, 4]


async def test_one_who_stops_waiting_does_not_disturb_the_others() -> None:
    store = Store()
    batcher = Batcher(store.write)
    futures = [batcher.submit(number) for number in (1, 2)]
    await turns()
    futures[0].cancel()
    store.gate.set()
    assert await futures[1] == 4


async def test_drain_waits_for_all_that_was_submitted() -> None:
    store = Store()
    batcher = Batcher(store.write)
    futures = [batcher.submit(number) for number in (1, 2)]
    await turns()
    futures.append(batcher.submit(3))
    draining = asyncio.ensure_future(batcher.drain())
    await turns()
    assert not draining.done()
    store.gate.set()
    await draining
    assert all(future.done() for future in futures)
    await batcher.drain()


@given(st.lists(st.integers(0, 50), max_size=40), st.integers(1, 7))
def test_every_item_is_written_once_in_order(items: list[int], largest: int) -> None:
    async def run() -> None:
        store = Store()
        store.gate.set()
        batcher = Batcher(store.write, largest=largest)
        futures = []
        for item in items:
            futures.append(batcher.submit(item))
            if item % 3 == 0:
                await turns(item % 5)
        assert await asyncio.gather(*futures) == [item * item for item in items]
        assert [item for batch in store.batches for item in batch] == items
        assert all(len(batch) <= largest for batch in store.batches)

    asyncio.run(run())
