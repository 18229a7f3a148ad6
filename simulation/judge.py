"""What was heard against what is on the record: each broken promise is counted, and told with an example.

The ears are true: they know the instant at which each sample sounded. Nothing here asks the server's rules what they
meant; what a steady schedule has to bring is reckoned by hand.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from common import clock
from common.tenancy import system_scope
from events.domain.ledger import TERMINAL
from events.models import PlayEvent
from events.told import own_id
from simulation.kernel import DAY, HOUR, MINUTE, MS, SECOND
from simulation.speaker import CLOCK_ERROR, Sound, Speaker
from simulation.world import QUIET, Shop, World

FADE = 350 * MS
"""What is cut off sounds on for so long at most: the fade, and the time that the output needs."""
SETTLED = 2 * MINUTE
"""A change of the plan has reached a speaker by then."""
SILENT_FOR_A_REASON = {"preempted", "partial", "quiet_hours", "floor_stopped", "client_locked", "cancelled"}
"""Why a speaker that is well may not sound what is due; any other reason breaks the first promise."""
Fault = tuple[str, str]


def judge(world: World) -> tuple[Counter[str], dict[str, str]]:
    """How often each promise was broken, and an example of each. Nothing broken: both are empty."""
    with system_scope("the judge sees all"):
        rows = {row.pk: row for row in PlayEvent.objects.all()}
    count: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for name, example in _all(world, rows):
        count[name] += 1
        examples.setdefault(name, example)
    return count, examples


def _all(world: World, rows: dict[UUID, PlayEvent]) -> Iterator[Fault]:
    for shop in world.shops:
        for speaker in shop.speakers:
            yield from _ear(shop, speaker)
            yield from _record(shop, speaker, rows)
        yield from _steady(world, shop, rows)
    yield from _ledger(world, rows)


def _ear(shop: Shop, speaker: Speaker) -> Iterator[Fault]:
    """What one can hear without knowing the record."""
    seen: set[str] = set()
    before: Sound | None = None
    for sound in speaker.heard:
        what = f"{speaker.name} {sound.play.event_id} at {clock.from_us(sound.started_at)}"
        if sound.play.event_id in seen:
            yield "twice in an ear", what
        seen.add(sound.play.event_id)
        if sound.started_at >= sound.play.expires_at + CLOCK_ERROR:
            yield "after its expiry", what
        early = sound.due_at - sound.started_at > CLOCK_ERROR + MS
        waited = before is not None and (before.ended_at or 0) > sound.due_at - SECOND
        if early or (sound.started_at - sound.due_at > CLOCK_ERROR + MS and not waited):
            yield "off its instant", f"{what}: {sound.started_at - sound.due_at} µs"
        if before is not None and before.ended_at and before.ended_at > sound.started_at + FADE:
            yield "two at once", what
        if _in_quiet_hours(shop, speaker, sound):
            yield "in quiet hours", what
        before = sound


def _in_quiet_hours(shop: Shop, speaker: Speaker, sound: Sound) -> bool:
    if sound.play.priority == "emergency" or sound.play.overrides_quiet_hours:
        return False
    if speaker in shop.speakers[len(shop.speakers) // 2 :]:  # the upper floor has none
        return False
    hour = sound.play.play_at % DAY // HOUR
    return hour >= QUIET[0].hour or hour < QUIET[1].hour


def _record(shop: Shop, speaker: Speaker, rows: dict[UUID, PlayEvent]) -> Iterator[Fault]:
    """What the speaker knows must be what the ledger says."""
    for receipt in speaker.journal.owed():
        yield "a receipt never taken", f"{speaker.name} {receipt.event_id}"
    for sound in speaker.heard:
        if sound.ended_at is not None and sound.play.event_id not in speaker.receipts:
            yield "heard without a receipt", f"{speaker.name} {sound.play.event_id}"
    for event_id, receipt in speaker.receipts.items():
        # What no rule knows any more stands under a key that its speaker's word alone makes.
        row = rows.get(UUID(event_id)) or rows.get(own_id(speaker.pk, UUID(event_id)))
        what = f"{speaker.name} {event_id} {receipt.outcome}"
        if row is None:
            if receipt.play_at is not None and receipt.started_at is not None:
                yield "heard and not on the record", what
        elif row.outcome != receipt.outcome:
            yield "another outcome on the record", f"{what}: {row.outcome} {row.status} {row.reason}"
        elif (row.client_id, row.device_id) != (shop.client.pk, speaker.pk):
            yield "on another's record", what


def _steady(world: World, shop: Shop, rows: dict[UUID, PlayEvent]) -> Iterator[Fault]:
    """Every occurrence of a schedule that nobody changed, once for each speaker, and heard by those that were well."""
    by_words: dict[int, Counter[tuple[int, int]]] = defaultdict(Counter)
    found: dict[tuple[int, int, int], PlayEvent] = {}
    for row in rows.values():
        if row.announcement_id is not None and row.device_id is not None and row.event_type == "scheduled":
            at = clock.to_us(row.play_at)
            by_words[row.announcement_id][row.device_id, at] += 1
            found[row.announcement_id, row.device_id, at] = row
    half = len(shop.speakers) // 2
    for place, schedule in enumerate(shop.steady):
        words = shop.words_of[schedule.pk]
        speakers = shop.speakers[:half] if place < 2 else shop.speakers[half:]
        for at in _instants(world, schedule):
            if _locked(shop, at):
                continue
            for speaker in speakers:
                times = by_words[words][speaker.pk, at]
                what = f"{speaker.name} {schedule} at {clock.from_us(at)}"
                if times != 1:
                    yield ("lost" if times == 0 else "twice on the record"), what
                elif _well(speaker, at) and _knows(shop, speaker, at):
                    row = found[words, speaker.pk, at]
                    if row.status != "completed" and row.reason not in SILENT_FOR_A_REASON:
                        yield "silent by accident", f"{what}: {row.reason} {row.outcome}"


def _instants(world: World, schedule: Any) -> Iterator[int]:
    """By hand: every so many minutes from midnight, or at one second of every cycle. All in UTC."""
    if schedule.schedule_type == "interval":
        step, first = schedule.interval_minutes * MINUTE, 0
    else:
        step, first = schedule.cycle_duration_minutes * MINUTE, world.shops[0].mark_s * SECOND
    at = world.begin - world.begin % DAY
    while at < world.end:
        offset = (at % DAY - first) % step
        at += (step - offset) % step
        if world.begin + SETTLED <= at < world.end:
            yield at
        at += MS


def _locked(shop: Shop, at: int) -> bool:
    """Whether the business may have been locked when the row was to be written: then a span explains it, not a row."""
    spans = zip(shop.locks[::2], [*shop.locks[1::2], None], strict=False)
    return any(begin <= at < (at + 1 if end is None else end + SETTLED) for begin, end in spans)


def _well(speaker: Speaker, at: int) -> bool:
    return any(since + SETTLED <= at < until - MINUTE for since, until in speaker.spans_well())


def _knows(shop: Shop, speaker: Speaker, at: int) -> bool:
    """Whether the speaker may have heard by then that its business was let in again: its network may be cut."""
    let_in = max((end for end in shop.locks[1::2] if end <= at), default=None)
    return let_in is None or any(let_in <= told <= at - SETTLED for told in speaker.told)


def _ledger(world: World, rows: dict[UUID, PlayEvent]) -> Iterator[Fault]:
    """What one can see without having listened."""
    sounds = [
        (speaker.pk, UUID(sound.play.event_id)) for speaker in world.speakers for sound in speaker.heard
    ]
    heard = {name for speaker, event_id in sounds for name in (event_id, own_id(speaker, event_id))}
    for pk, row in rows.items():
        what = f"{pk} {row.device_name} at {row.play_at}: {row.status} {row.reason}"
        if row.status not in TERMINAL and clock.to_us(row.play_at) < world.end + MINUTE:
            yield "never ended", what
        if row.status == "completed" and pk not in heard:
            yield "on the record and not heard", what
        if pk in world.probes and row.status != "completed":
            yield "not back to normal in time", what
    for pk in (world.accepted | world.probes) - rows.keys():
        yield "accepted and lost", str(pk)
