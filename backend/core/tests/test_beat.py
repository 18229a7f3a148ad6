"""Beat goes on when the wall clock is stepped."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from core import beat
from core.celery import app


class Clocks:
    """Both clocks of a machine; `step` moves the wall clock alone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.passed = 0.0
        self.step = 0.0
        began = app.now()
        wall_ahead = staticmethod(lambda: self.step)
        monkeypatch.setattr(beat.SteadyScheduler, "_wall_ahead", wall_ahead)
        monkeypatch.setattr(beat.SteadyScheduler, "producer", None)  # it would connect
        monkeypatch.setattr(app, "now", lambda: began + timedelta(seconds=self.passed + self.step))


@pytest.mark.parametrize("step", [-3600.0, -30.0, 3600.0])
def test_a_stepped_clock_neither_silences_nor_repeats(monkeypatch: pytest.MonkeyPatch, step: float) -> None:
    clocks = Clocks(monkeypatch)
    scheduler = beat.SteadyScheduler(app, schedule={}, lazy=True)
    scheduler.data = {
        "tick": scheduler.Entry(name="tick", task="tick", schedule=timedelta(seconds=2), app=app)
    }
    sent: Counter[str] = Counter()
    era = "before"
    monkeypatch.setattr(scheduler, "apply_entry", lambda *_, **__: sent.update([era]))

    def run(seconds: int) -> None:
        for _ in range(seconds * 4):
            scheduler.tick()
            clocks.passed += 0.25

    run(20)
    clocks.step, era = step, "after"
    run(20)
    assert sent == {"before": pytest.approx(10, abs=1), "after": pytest.approx(10, abs=1)}
