"""Half an hour with many faults keeps every promise; and the judge hears each of them break."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from common.tenancy import system_scope
from events.models import PlayEvent
from simulation.judge import judge
from simulation.kernel import MINUTE, SECOND
from simulation.speaker import Sound, Speaker
from simulation.world import Size, World

SEED = 20261122
pytestmark = pytest.mark.django_db(transaction=True)


def heard(world: World) -> tuple[Speaker, Sound]:
    """Some speaker that has heard something whole, and that."""
    return next(
        (speaker, sound)
        for speaker in world.speakers
        for sound in speaker.heard
        if speaker.receipts[sound.play.event_id].outcome == "played"
    )


def row_of(world: World) -> Any:
    """The ledger's row of it, as a query."""
    return PlayEvent.objects.filter(pk=heard(world)[1].play.event_id)


def again(world: World) -> None:
    speaker, sound = heard(world)
    speaker.heard.append(replace(sound, started_at=sound.started_at + MINUTE, ended_at=None))


def shifted(by: int) -> Callable[[World], None]:
    def shift(world: World) -> None:
        speaker, sound = heard(world)
        place = speaker.heard.index(sound)
        speaker.heard[place] = replace(sound, started_at=sound.started_at + by)

    return shift


def over_another(world: World) -> None:
    speaker, sound = heard(world)
    play = replace(sound.play, event_id=str(uuid4()))
    speaker.heard.append(replace(speaker.heard[-1], ended_at=speaker.heard[-1].started_at + MINUTE))
    speaker.heard.append(
        replace(speaker.heard[-1], play=play, started_at=speaker.heard[-1].started_at + SECOND)
    )


def of_another(world: World) -> None:
    row_of(world).update(device_id=next(s.pk for s in world.speakers if s is not heard(world)[0]))


def unheard(world: World) -> None:
    speaker, sound = heard(world)
    speaker.heard.remove(sound)


def silenced(world: World) -> None:
    rows = PlayEvent.objects.filter(announcement_id__in=world.shops[0].words_of.values(), status="completed")
    rows.update(status="failed", reason="no_receipt")


BREACHES: dict[str, Callable[[World], Any]] = {
    "twice in an ear": again,
    "off its instant": shifted(-SECOND),
    "after its expiry": shifted(MINUTE),
    "two at once": over_another,
    "heard and not on the record": lambda world: row_of(world).delete(),
    "another outcome on the record": lambda world: row_of(world).update(outcome="partial"),
    "on another's record": of_another,
    "never ended": lambda world: row_of(world).update(status="playing"),
    "on the record and not heard": unheard,
    "silent by accident": silenced,
    "lost": lambda world: PlayEvent.objects.filter(
        announcement_id__in=world.shops[0].words_of.values()
    ).delete(),
    "accepted and lost": lambda world: world.accepted.add(UUID(int=1)),
    "not back to normal in time": lambda world: PlayEvent.objects.filter(pk__in=world.probes).update(
        status="failed"
    ),
}


def test_promises_hold_through_faults_and_the_judge_hears_each_break() -> None:
    world = World(seed=SEED, size=Size(shops=2, speakers=2, hours=0.5, haste=5))
    with world.simulated():
        world.run()
        assert judge(world) == ({}, {})
        assert world.server.deaths > 5
        assert sum(len(speaker.heard) for speaker in world.speakers) > 50
        for name, breach in BREACHES.items():
            ears = {speaker: list(speaker.heard) for speaker in world.speakers}
            accepted = set(world.accepted)
            with transaction.atomic(), system_scope("the test breaks a promise"):
                breach(world)
                assert name in judge(world)[0], name
                transaction.set_rollback(True)
            world.accepted = accepted
            for speaker, sounds in ears.items():
                speaker.heard = sounds
        assert judge(world) == ({}, {})
