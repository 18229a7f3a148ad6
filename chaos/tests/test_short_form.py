"""One round of a few faults with 40 devices: CI's share of `make chaos`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chaos import rounds
from chaos.diary import Diary
from chaos.faults import SHORT

pytestmark = [pytest.mark.system, pytest.mark.alone]

SCALE = rounds.Scale(devices=40, businesses=2, rounds=1, cut_s=3.0)


async def test_the_promises_hold_through_a_few_faults(record_property: Callable[[str, Any], None]) -> None:
    told: list[str] = []
    with tempfile.TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True) as folder:
        diary = Diary(Path(folder) / "chaos.jsonl", "ci", told.append)
        done, _ = await rounds.run(Path(folder), SHORT, SCALE, "ci", diary)
    record_property("told", "; ".join(told))
    assert not diary.count, told
    assert len(done) == len(SHORT)
