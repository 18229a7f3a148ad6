"""One shop's year against what it should have been."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from random import Random

import numpy as np

from schedules import domain as engine
from schedules.domain import Occurrence
from schedules.domain.tests import reference_schedule, vectors
from schedules.domain.tests.vectors import Spec
from year.music import listen
from year.reference import Wall, expected, space
from year.scheduler import Scheduler
from year.shops import DAY, END, MINUTE, SEED, START, US

EXPIRY_S = 2
SAMPLED_DAYS = 3


def judged(shop: Spec, wall: Wall, sampled: bool) -> Counter[str]:
    """Steps one shop through its year and counts what is right and what is wrong with it."""
    count: Counter[str] = Counter()
    rng = Random(f"{SEED}/run/{shop['number']}")  # noqa: S311  # chance that can be repeated, no secret
    scheduler = Scheduler(shop, rng)
    begun = time.process_time()
    scheduler.run()
    count["engine_ms"] += round((time.process_time() - begun) * 1e3)
    count.update({name: n for name, n in scheduler.count.items() if name})
    got = {key: row for key, row in scheduler.ledger.rows.items() if row.at < END * US}

    begun = time.process_time()
    rows: dict[tuple[str, int], str | None] = {}
    for spec in shop["schedules"]:
        instants, reasons = expected(spec, shop["floor"], wall)
        rows.update(zip(((spec["id"], int(at)) for at in instants), reasons, strict=True))
    if shop["floor"]["least_gap_us"]:
        space(rows, shop, wall)
    count["reference_ms"] += round((time.process_time() - begun) * 1e3)

    wanted = {(name, at * US): reason for (name, at), reason in rows.items() if START <= at < END}
    count["lost"] = len(wanted.keys() - got.keys())
    count["out_of_place"] = len(got.keys() - wanted.keys())
    count["wrong_reason"] = sum(got[key].reason != wanted[key] for key in got.keys() & wanted.keys())
    count["contradicted"] = scheduler.ledger.contradicted
    count["offered_again"] = scheduler.ledger.offered_again
    for row in got.values():
        count[f"is_{row.reason or 'due'}"] += 1
    count["occurrences"] = len(got)
    count["events"] = len(got) * shop["devices"]
    count["schedules"] = len(shop["schedules"])
    count["out_of_hours"] = _out_of_hours(shop, wall, got.values())
    count["wrongly_missed"] = _wrongly_missed(scheduler, got)
    count["missed"] = sum(key in got for key in scheduler.ledger.missed)
    count["wrong_choice"] = sum(_wrong_choices(spec, got.values()) for spec in shop["schedules"])
    if sampled:
        _ask_the_slow_reference(shop, got, rng, count)
    listen(shop, wall, got.values(), rng, count)
    return count


def _out_of_hours(shop: Spec, wall: Wall, rows: Iterable[Occurrence]) -> int:
    quiet = {spec["id"]: spec["quiet"] for spec in shop["schedules"]}
    wrong = 0
    for name in quiet:
        at = np.array([row.at // US for row in rows if row.due and row.schedule_id == name], dtype=np.int64)
        wrong += int((wall.quiet(quiet[name], at) | wall.quiet(shop["floor"]["quiet"], at)).sum())
    return wrong


def _wrongly_missed(scheduler: Scheduler, got: dict[tuple[str, int], Occurrence]) -> int:
    """Recorded as missed although a scheduler looked in time, or not recorded so although none did."""
    wrong = 0
    for name in scheduler.rules:
        looks = [(now, until) for now, until, schedule in scheduler.looks if schedule == name]
        nows = np.array([now for now, _ in looks])
        reached = np.maximum.accumulate([until for _, until in looks])
        keys = [key for key, row in got.items() if key[0] == name and row.due]
        at = np.array([key[1] // US for key in keys], dtype=np.int64)
        seen = np.searchsorted(nows, at + EXPIRY_S)
        in_time = (seen > 0) & (reached[np.maximum(seen, 1) - 1] > at)
        wrong += sum(
            (key in scheduler.ledger.missed) == bool(timely)
            for key, timely in zip(keys, in_time, strict=True)
        )
    return wrong


def _wrong_choices(spec: Spec, rows: Iterable[Occurrence]) -> int:
    """Announcements that may not play then; and with `avoid_repeat`, whatever breaks the bags."""
    candidates = {each["id"]: each for each in spec["announcements"]}
    slots: dict[int, list[tuple[int, str]]] = {}
    wrong = 0
    for row in rows:
        if row.schedule_id != spec["id"] or row.announcement_id is None:
            continue
        chosen = candidates[row.announcement_id]
        wrong += not chosen.get("valid_from", 0) <= row.at < chosen.get("valid_until", 1 << 62)
        slots.setdefault(row.offset_us, []).append((row.at, row.announcement_id))
    if spec["avoid_repeat"] and all("valid_from" not in each for each in candidates.values()):
        for offset, heard in slots.items():
            names = {
                each["id"] for each in candidates.values() if each.get("timestamp_seconds", 0) == offset // US
            }
            wrong += not _in_whole_bags([name for _, name in sorted(heard)], len(names))
    return wrong


def _in_whole_bags(heard: list[str], count: int) -> bool:
    """Is there a place from which on every `count` in a row are all different? The year begins inside a bag."""
    seams = all(a != b for a, b in pairwise(heard)) or count == 1
    return seams and any(
        all(len(set(heard[i : i + count])) == count for i in range(first, len(heard) - count, count))
        for first in range(count)
    )


def _ask_the_slow_reference(
    shop: Spec, got: dict[tuple[str, int], Occurrence], rng: Random, count: Counter[str]
) -> None:
    """Some days second by second, with the choices; and the ids of all events of the shop, which must be distinct."""
    for _ in range(SAMPLED_DAYS):
        start = rng.randrange(START + DAY, END - 3 * DAY, MINUTE)
        case = {"seed": SEED, "zone": shop["zone"], "schedules": shop["schedules"], "floor": shop["floor"]}
        case |= {"from": start * US, "to": (start + DAY) * US}
        rows = sorted((row for row in got.values() if start <= row.at // US < start + DAY), key=_precedence)
        said = [vectors.occurrence_row(row, shop["zone"]) for row in rows]
        count["sampled_days"] += 1
        count["sampled_occurrences"] += len(said)
        count["unlike_the_reference"] += said != reference_schedule.occurrences(case)
    ids = {
        engine.occurrence_event_id(row.schedule_id, row.at, str(device))
        for row in got.values()
        for device in range(shop["devices"])
    }
    count["sampled_ids"] += len(ids)
    count["equal_ids"] += len(got) * shop["devices"] - len(ids)


def _precedence(row: Occurrence) -> tuple[int, int, str]:
    return row.precedence
