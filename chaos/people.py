"""The people of the shops, with programs that know how to ask again: businesses, their sounds, rules and plays.

Every write carries an Idempotency-Key and is asked again until it is answered or PATIENCE_S is over; each attempt and
its answer is written down for the judge.
"""

from __future__ import annotations

import asyncio
import io
import math
import random
import struct
import time
import wave
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg

from chaos.devices import Speaker
from chaos.records import Answer

PASSWORD = "a long enough password"  # noqa: S105  # of businesses that live for minutes
PATIENCE_S = 30.0
ASK_AGAIN_S = 1.0
FLOORS = 2
WORDS = ("Good morning.", "The till is open.", "We close soon.")
TOO_EARLY = frozenset({409, 429})
"""Answers after which the same request may yet succeed, as after any 5xx."""


def now_us() -> int:
    """The true time, µs UTC: no process of the footprint reads this clock once it is stepped."""
    return time.time_ns() // 1000


def tone(seconds: float, hz: float) -> bytes:
    """A WAV file."""
    rate = 8000
    samples = (round(8000 * math.sin(2 * math.pi * hz * n / rate)) for n in range(round(seconds * rate)))
    target = io.BytesIO()
    with wave.open(target, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return target.getvalue()


@dataclass
class Business:
    """A tenant: who signs in, and what it has."""

    email: str
    id: int = 0
    access: str = ""
    floors: list[int] = field(default_factory=list)
    sounds: list[int] = field(default_factory=list)
    speakers: list[Speaker] = field(default_factory=list)


class People:
    """All businesses, and the list of what they were answered."""

    def __init__(self, http: httpx.AsyncClient, rng: random.Random, name: str) -> None:
        self.http = http
        self.rng = rng
        self.name = name
        self.answers: list[Answer] = []
        self.businesses: list[Business] = []
        self._orders = 0

    # --- asking ---

    async def ask(self, business: Business, what: str, method: str, path: str, **body: Any) -> Any:
        """The JSON of the answer, or None if there was none in time; never raises for what the server does."""
        self._orders += 1
        order = f"{self.name}-{self._orders}"
        deadline = time.monotonic() + PATIENCE_S
        for attempt in range(1000):
            request_id = f"{order}-{attempt}"
            headers = {
                "Idempotency-Key": order,
                "X-Request-ID": request_id,
                "Authorization": f"Bearer {business.access}",
            }
            try:
                answer = await self.http.request(method, path, headers=headers, **body)
            except httpx.TransportError:
                self._note(order, request_id, what, business, 0, {})
            else:
                found = answer.json() if answer.content else {}
                self._note(order, request_id, what, business, answer.status_code, found)
                if answer.is_success:
                    return found
                if answer.status_code == 401:
                    await self.sign_in(business)
                elif answer.status_code < 500 and answer.status_code not in TOO_EARLY:
                    return None
            if time.monotonic() > deadline:
                return None
            await asyncio.sleep(ASK_AGAIN_S)
        return None

    def _note(
        self, order: str, request_id: str, what: str, business: Business, status: int, found: Any
    ) -> None:
        good = 200 <= status < 300
        events = tuple(event["id"] for event in found.get("events", ())) if good and what == "play" else ()
        made = found.get("id", 0) if good else 0
        self.answers.append(
            Answer(
                order,
                request_id,
                what,
                status,
                now_us(),
                business.id,
                made if isinstance(made, int) else 0,
                events,
            )
        )

    async def sign_in(self, business: Business) -> None:
        """A fresh access token; the old one stays if there is no answer."""
        try:
            answer = await self.http.post(
                "/api/auth/login/", json={"username": business.email, "password": PASSWORD}
            )
        except httpx.TransportError:
            return
        if answer.is_success:
            business.access = answer.json()["access"]

    # --- setting up ---

    async def set_up(self, businesses: int, devices: int, database_url: str, port: int) -> None:
        """Registers the businesses and gives each its floors, speakers, words and rules."""
        for number in range(businesses):
            business = Business(f"{self.name}{number}@example.com")
            owner = {
                "business_name": f"Shop {number}",
                "name": "Ada",
                "telephone": "1",
                "email": business.email,
            }
            answer = await self.http.post("/api/auth/register/", json=owner | {"password": PASSWORD})
            answer.raise_for_status()
            business.access = answer.json()["access"]
            self.businesses.append(business)
        with psycopg.connect(database_url) as database:
            database.execute("UPDATE clients SET multi_floor_enabled = true, max_floors = 5")
        await asyncio.gather(*(self._furnish(each, devices // businesses, port) for each in self.businesses))

    async def _furnish(self, business: Business, devices: int, port: int) -> None:
        for number in range(FLOORS):
            floor = await self._made(business, "/api/floors/", {"name": f"Floor {number}"})
            business.floors.append(floor["id"])
            business.id = floor["client"]
        for number in range(devices):
            body = {"name": f"S{number}", "floor": business.floors[number % FLOORS]}
            made = await self._made(business, "/api/devices/", body)
            seed = f"{self.name}/{made['id']}"
            business.speakers.append(Speaker(made, business.id, self.http, port, seed))
        for words in WORDS:
            path = "/api/announcements/tts/generate/"
            business.sounds.append((await self._made(business, path, {"title": words, "text": words}))["id"])
        for sound in business.sounds:
            while (await self.read(business, f"/api/announcements/{sound}/"))["status"] != "ready":  # noqa: ASYNC110
                await asyncio.sleep(0.3)
        shift = self.rng.randrange(20)
        timeline = [
            {"announcement": sound, "timestamp_seconds": 100 * place + shift}
            for place, sound in enumerate(business.sounds)
        ]
        rules: list[dict[str, Any]] = [
            {"schedule_type": "interval", "interval_minutes": 15, "schedule_announcements": [timeline[0]]},
            {"schedule_type": "timeline", "cycle_duration_minutes": 5, "schedule_announcements": timeline},
        ]
        rules[0]["schedule_announcements"] = [{"announcement": business.sounds[0]}]
        for rule in rules:
            await self._made(
                business, "/api/schedules/", rule | {"name": rule["schedule_type"], "floors": business.floors}
            )

    async def _made(self, business: Business, path: str, body: dict[str, Any]) -> Any:
        found = await self.ask(business, "speech" if "tts" in path else "set-up", "POST", path, json=body)
        if found is None:
            raise RuntimeError(f"POST {path} was not done: {self.answers[-1]}")
        return found

    async def read(self, business: Business, path: str) -> Any:
        """A GET that must succeed."""
        answer = await self.http.get(path, headers={"Authorization": f"Bearer {business.access}"})
        answer.raise_for_status()
        return answer.json()

    # --- a day in the shops, in fast motion ---

    async def play(self, business: Business, where: dict[str, Any]) -> Any:
        """Orders one of the business's words; the 202, or None."""
        sound = self.rng.choice(business.sounds)
        return await self.ask(business, "play", "POST", f"/api/announcements/{sound}/play/", json=where)

    async def play_somewhere(self) -> None:
        """On one floor."""
        business = self.rng.choice(self.businesses)
        await self.play(business, {"floors": [self.rng.choice(business.floors)]})

    async def speak(self) -> None:
        """New words, which a worker renders."""
        business = self.rng.choice(self.businesses)
        body = {"title": "News", "text": f"Number {self.rng.randrange(10**9)} please."}
        await self.ask(business, "speech", "POST", "/api/announcements/tts/generate/", json=body)

    async def upload(self, seconds: float = 3.0) -> None:
        """A recording, which a worker normalises."""
        business = self.rng.choice(self.businesses)
        form = {"title": "Tone", "type": "uploaded"}
        file = ("tone.wav", tone(seconds, self.rng.uniform(200, 900)), "audio/wav")
        await self.ask(business, "upload", "POST", "/api/announcements/", data=form, files={"file": file})

    async def turn_a_knob(self) -> None:
        """The volume of one speaker."""
        business = self.rng.choice(self.businesses)
        speaker = self.rng.choice(business.speakers)
        speaker.knob = (
            speaker.knob + self.rng.randrange(1, 100)
        ) % 101  # another than before, or nothing would change
        body = {"volume": speaker.knob}
        await self.ask(business, "volume", "POST", f"/api/devices/{speaker.pk}/volume/", json=body)

    async def live(self) -> None:
        """All of it, for ever; whoever cancels this waits for what was asked."""
        asked: set[asyncio.Task[None]] = set()
        habits = {self.play_somewhere: 1.0, self.speak: 12.0, self.upload: 17.0, self.turn_a_knob: 5.0}
        due = {habit: time.monotonic() + self.rng.uniform(0, every) for habit, every in habits.items()}
        try:
            while True:
                for habit, every in habits.items():
                    if time.monotonic() >= due[habit]:
                        due[habit] += every * self.rng.uniform(0.5, 1.5)
                        task = asyncio.create_task(habit())
                        asked.add(task)
                        task.add_done_callback(asked.discard)
                await asyncio.sleep(0.1)
        finally:
            await asyncio.gather(*asked)
