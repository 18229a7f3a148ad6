"""A floor's programme the slow way: a station that is asked every second what it does.

Durations, intervals and cross fades are whole seconds here; seconds since 1970 inside, µs in the rows.
"""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import Any

from schedules.domain.tests.reference_clock import DAY, Clock, clock, day_number, is_quiet
from schedules.domain.tests.reference_schedule import US, _years
from zones.domain.wallclock import load_zone

EPOCH_DAY = day_number(date(2024, 1, 1))
CUT_FADE, LEAST_SOUND = 2, 3


def _sha(*parts: object) -> bytes:
    return sha256("\x1f".join(str(part) for part in parts).encode("utf-8")).digest()


class _Station:
    def __init__(self, case: dict[str, Any]) -> None:
        self.case, self.channel = case, case["channel"]
        self.fade = case["crossfade_us"] // US
        years = _years(case["from"] // US, case["to"] // US)
        self.clock = clock(load_zone(self.channel["zone"]), min(years[0], 2024), max(years[1], 2024))
        self.plain = clock(load_zone("Etc/UTC"), 2024, 2024)
        self._on_air: dict[tuple[bool, int], str | None] = {}
        self.playlists = {p["id"]: p for p in self.channel["playlists"]}

    # what is on

    def on_air(self, ticking: Clock, second: int) -> str | None:
        """The id of the playlist that is on, None for silence; it changes on whole minutes only."""
        key = ticking is self.plain, second // 60
        if key not in self._on_air:
            self._on_air[key] = self._pick(ticking, second)
        return self._on_air[key]

    def _pick(self, ticking: Clock, second: int) -> str | None:
        if is_quiet(ticking, second // 60, self.channel.get("quiet")):
            return None
        able = [
            (-p.get("priority", 0), p["id"])
            for p in self.channel["playlists"]
            if p.get("enabled", True)
            and p.get("music", []) + p.get("announcements", [])
            and not is_quiet(ticking, second // 60, p.get("quiet"))
        ]
        return min(able)[1] if able else None

    def aired(self, ticking: Clock, name: str, start: int, end: int) -> int:
        """Seconds of [start, end), whole minutes, for which a playlist is on."""
        return sum(60 for second in range(start, end, 60) if self.on_air(ticking, second) == name)

    # what is next

    def bag(self, playlist: dict[str, Any], number: int) -> list[dict[str, Any]]:
        music = playlist.get("music", [])
        if not playlist.get("shuffle_music", True):
            return sorted(music, key=lambda item: (item.get("order", 0), item["id"]))
        key = f"{self.channel['floor_id']}/{playlist['id']}"

        def raw(n: int) -> list[dict[str, Any]]:
            return sorted(music, key=lambda item: _sha("bag", self.case["seed"], key, n, item["id"]))

        if len(music) == 2:
            return raw(0)
        order = raw(number)
        if len(music) > 2 and order[0] is raw(number - 1)[-1]:
            order[0], order[1] = order[1], order[0]
        return order

    def lap(self, item: dict[str, Any]) -> int:
        """How much of a track's end, in µs, the next may cover."""
        return int(min(self.fade * US, item["duration_us"] // 2))

    def queue(self, name: str, number: int, begin: int) -> tuple[int, list[dict[str, Any]]]:
        """With which bag, and what of it, a day enters the music."""
        playlist = self.playlists[name]
        music = playlist.get("music", [])
        if not music:
            return 0, []
        length = sum(item["duration_us"] - self.lap(item) for item in music)
        week = self.plain.midnights[EPOCH_DAY] * 60
        air = self.aired(self.plain, name, week, week + 7 * 86_400) * US // 7
        today = self.aired(self.clock, name, self.clock.midnights[number] * 60, begin) * US
        if length <= air:
            bags_passed = 0
            while bags_passed * length < today:
                bags_passed += 1
            return (number - EPOCH_DAY) * (air // length + 2) + bags_passed, self.bag(
                playlist, (number - EPOCH_DAY) * (air // length + 2) + bags_passed
            )
        longest = max(item["duration_us"] for item in music)
        rest = (number - EPOCH_DAY) * (air + longest) + today
        index = 0
        while rest < 0:
            index, rest = index - 1, rest + length
        while rest >= length:
            index, rest = index + 1, rest - length
        order = self.bag(playlist, index)
        gone = 0
        while order and gone < rest:
            gone += order[0]["duration_us"] - self.lap(order[0])
            order = order[1:]
        return (index, order) if order else (index + 1, self.bag(playlist, index + 1))

    # one day

    def day(self, number: int, begin: int) -> list[list[Any]]:
        """The rows of a local day from the second `begin` on."""
        midnight, end = self.clock.midnights[number] * 60, self.clock.midnights[number + 1] * 60
        tomorrow = self.on_air(self.clock, end)
        morning = None
        if tomorrow is not None:
            first = self.queue(tomorrow, number + 1, end)[1]
            morning = first[0]["id"] if first else None
        rows: list[list[Any]] = []
        queues: dict[str, Any] = {}
        sounding_until, on, spoke, tail = begin, None, False, None
        served: dict[str, int] = {}
        limit = begin  # where the next silence begins
        for second in range(begin, end):
            name = self.on_air(self.clock, second)
            if name is None:
                on, tail, sounding_until = None, None, second + 1
                continue
            if second < sounding_until:
                continue
            playlist = self.playlists[name]
            has_music = bool(playlist.get("music"))
            if on != name:
                on, served = name, {a["id"]: second for a in playlist.get("announcements", [])}
            if limit <= second:
                limit = second
                while limit < end and self.on_air(self.clock, limit) is not None:
                    limit += 60 - limit % 60
            spoken = None
            if not (spoke and has_music):
                spoken = self.announcement(playlist, served, midnight, second, limit)
            if spoken is not None:
                served[spoken["id"]] = second
                length = spoken["duration_us"] // US
                rows.append(self.row(second, second + length, "announcement", spoken, name))
                sounding_until, spoke, tail = second + length, True, None
                continue
            if not has_music:
                tail = None
                continue
            if limit - second < LEAST_SOUND:
                tail = None
                continue
            if name not in queues:
                bag, order = self.queue(name, number, begin)
                queues[name] = {"bag": bag, "order": order, "free": {}, "last": None}
            lengths = [i["duration_us"] for i in playlist["music"] + playlist.get("announcements", [])]
            near = limit == end and second * US + 2 * max(lengths) >= end * US
            track = self.track(playlist, queues[name], second, morning if near and tomorrow == name else None)
            lap = min(tail[1], self.lap(track)) // US if tail else 0
            start = second - lap
            length = track["duration_us"] // US
            stop = min(start + length, limit)
            row = self.row(start, stop, "music", track, name)
            row[6] = lap * US
            if stop < start + length:
                row[7] = min(CUT_FADE * US, (stop - start) * US // 2)
            if tail:
                tail[0][7] = lap * US
            rows.append(row)
            tail, sounding_until, spoke = (row, self.lap(track)), stop, False
        return rows

    def announcement(
        self, playlist: dict[str, Any], served: dict[str, int], midnight: int, now: int, limit: int
    ) -> dict[str, Any] | None:
        waiting = []
        for item in playlist.get("announcements", []):
            interval = item.get("interval_us") or playlist.get("default_announcement_interval_us", 900 * US)
            due = midnight
            while due <= served[item["id"]]:
                due += interval // US
            lot = b""
            if playlist.get("shuffle_announcements", False):
                key = f"{self.channel['floor_id']}/{playlist['id']}"
                lot = _sha("turn", self.case["seed"], key, due * US, item["id"])
            valid = (item.get("valid_from") or 0) <= now * US < (item.get("valid_until") or 10**18)
            if due <= now and now + item["duration_us"] // US <= limit and valid:
                waiting.append((due, lot, item.get("order", 0), item["id"], item))
        return min(waiting, key=lambda turn: turn[:4])[4] if waiting else None

    def track(
        self, playlist: dict[str, Any], queue: dict[str, Any], now: int, avoid: str | None
    ) -> dict[str, Any]:
        def free(item: dict[str, Any]) -> bool:
            shunned = item["id"] in (queue["last"], avoid)
            return not shunned and bool(queue["free"].get(item["id"], now) <= now)

        if not any(map(free, queue["order"])):
            queue["bag"] += 1
            queue["order"] = queue["order"] + [
                item for item in self.bag(playlist, queue["bag"]) if item not in queue["order"]
            ]
        wishes = (
            [item for item in queue["order"] if free(item)]
            + [item for item in queue["order"] if item["id"] not in (queue["last"], avoid)]
            + [item for item in queue["order"] if item["id"] != queue["last"]]
            + queue["order"]
        )
        track: dict[str, Any] = wishes[0]
        queue["order"] = [item for item in queue["order"] if item is not track]
        interval = track.get("interval_us")
        if interval is None:
            interval = playlist.get("default_music_interval_us", 300 * US)
        queue["free"][track["id"]] = now + interval // US
        queue["last"] = track["id"]
        return track

    @staticmethod
    def row(start: int, end: int, kind: str, item: dict[str, Any], playlist: str) -> list[Any]:
        return [start * US, end * US, kind, item["id"], playlist, 0, 0, 0]


def programme(case: dict[str, Any]) -> list[list[Any]]:
    """[start, end, kind, item, playlist, offset, fade in, fade out] of a case of group `programme`, in µs."""
    station = _Station(case)
    anchor = case.get("anchor")
    begin = case["from"] if anchor is None else max(case["from"], anchor)
    first = station.clock.read(begin // US // 60) // DAY
    last = station.clock.read((case["to"] - 1) // US // 60) // DAY
    rows: list[list[Any]] = []
    for number in range(first, last + 1):
        midnight = station.clock.midnights[number] * 60
        rows += station.day(number, max(midnight, (anchor or 0) // US))
    return [row for row in rows if row[0] < case["to"] and row[1] > case["from"]]
