"""The demo's shop with life in it: two reference speakers play, words were heard, rules and people are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
from journeys import lab
from playwright.sync_api import Page

from e2e import chromium

ROUTES = Path(__file__).parents[1] / "web" / "dashboard" / "routes.js"
PLAYING = ("Counter", "Gallery stairs")
"""The demo's speakers that have power; its third is offline."""
KINDS = {
    "announcements": "announcements",
    "playlists": "channel-playlists",
    "schedules": "schedules",
    "devices": "devices",
    "floors": "floors",
    "businesses": "clients",
}
"""What a page of one thing is named after, and where the API lists it."""
SETTLED = """
    async (patience) => {
        const until = performance.now() + patience;
        for (let calm = 0; calm < 10; ) {
            await new Promise(requestAnimationFrame);
            const loading = document.querySelector(".skeleton, [aria-busy=true]") || !document.querySelector("h1");
            calm = loading ? 0 : calm + 1;
            if (performance.now() > until) throw new Error("it is still being loaded: " + location.href);
        }
    }
"""
"""When a page has its heading and waits for nothing, for some frames: one page goes before the next has come."""
MADE_HERE = ("announcements", "playlists", "schedules")
"""What is made on a page of its own, at `/…/new`."""


@dataclass(frozen=True)
class Shop:
    """The running server and the passwords of who may sign in: `owner`, `floor` (a floor user) and `staff`."""

    url: str
    people: dict[str, tuple[str, str]]
    signed_in: dict[str, lab.Person] = field(default_factory=dict)

    def person(self, who: str) -> lab.Person:
        """Somebody with the API in their hand. They sign in once: attempts are limited."""
        if who not in self.signed_in:
            self.signed_in[who] = self._sign_in(who)
        return self.signed_in[who]

    def _sign_in(self, who: str) -> lab.Person:
        email, password = self.people[who]
        person = lab.Person(httpx.Client(base_url=self.url, timeout=30))
        token = person.call(
            "POST", "/api/auth/login/", expect=200, json={"email": email, "password": password}
        )
        person.http.headers["Authorization"] = f"Bearer {token['access']}"
        return person

    def addresses(self, who: str) -> list[str]:
        """Every page that this person may open, by `routes.js`; `out` is who is not signed in."""
        found = []
        for path, rest in re.findall(r'\{\s*path: "(/[^"]*)",([^{}]*)\}', ROUTES.read_text()):
            out, staff, shop = ('for: "out"' in rest, 'of: "staff"' in rest, 'of: "shop"' in rest)
            needs = "needs:" in rest
            seen = {"out": out, "owner": not staff, "floor": not (staff or needs), "staff": not shop}
            if seen[who] and (who == "out" or not out):
                found.append(path)
        assert len(found) > 3, "routes.js is written otherwise than this expects"
        made = [f"/{kind}/new" for kind in MADE_HERE if who == "owner"]
        return [self.filled(path, who) for path in found] + made

    def filled(self, path: str, who: str) -> str:
        """The address of a page of `routes.js`: `:id` is the first that this person sees."""
        if not path.endswith("/:id"):
            return path
        kind = path.split("/")[1]
        found = self.person(who).get(f"/api/{KINDS[kind]}/?page_size=1")["results"]
        return f"/{kind}/{found[0]['id']}"


@contextmanager
def alive(folder: Path) -> Iterator[Shop]:
    """The shop, in a folder of its own; all its processes end with it."""
    server = lab.Server(folder / "server", environ={"SYNC2GEAR_DEMO": "1"})
    speakers: list[lab.Speaker] = []
    with lab.stopped_at_the_end([server]), lab.stopped_at_the_end(speakers):
        server.start()
        said = (server.folder / "data" / "demo" / "sign-in.txt").read_text()
        owner, floor = re.findall(r"(\S+@\S+)\s+password: (\S+)", said)
        staff = ("admin@sync2gear.example", "a long enough password")
        shop = Shop(server.url, {"owner": owner, "floor": floor, "staff": staff})
        person = shop.person("owner")
        lab.wait_for("the demo's sounds", lambda: person.get("/api/channel-playlists/")["count"], seconds=120)
        _rules(person)
        _accounts(shop.person("staff"))
        devices = {each["name"]: each for each in person.get("/api/devices/")["results"]}
        for name in PLAYING:
            path = f"/api/devices/{devices[name]['id']}/rotate-token/"
            token = person.call("POST", path, expect=200)["token"]
            speakers.append(lab.Speaker(folder / name, server.url, token).start())
        _plays(person, [devices[name]["id"] for name in PLAYING])
        yield shop


def _rules(owner: lab.Person) -> None:
    """One announcement more, schedules of both kinds, an evening's music, a webhook, somebody invited."""
    words = {
        "title": "Loyalty card",
        "category": "offers",
        "text": "Ten stamps on your card, and a coffee is free.",
    }
    owner.call("POST", "/api/announcements/tts/generate/", expect=202, json=words)

    def spoken() -> bool:
        return all(each["playable"] for each in owner.get("/api/announcements/")["results"])

    lab.wait_for("the words", spoken, seconds=60, every=0.5)
    titles = {each["title"]: each["id"] for each in owner.get("/api/announcements/")["results"]}
    floors = [each["id"] for each in owner.get("/api/floors/")["results"]]
    tracks = [each["id"] for each in owner.get("/api/music/")["results"]]
    for body in (
        {
            "name": "Closing time",
            "schedule_type": "timeline",
            "cycle_duration_minutes": 24 * 60,
            "active_days": [1, 2, 3, 4, 5, 6],
            "schedule_announcements": [
                {"announcement": titles["Closing soon"], "timestamp_seconds": at * 60}
                for at in (17 * 60 + 45, 19 * 60 + 45)
            ],
            "floors": floors,
        },
        {
            "name": "Every quarter of an hour",
            "schedule_type": "interval",
            "interval_minutes": 15,
            "schedule_announcements": [{"announcement": titles["Loyalty card"]}],
            "floors": floors,
        },
    ):
        owner.call("POST", "/api/schedules/", expect=201, json=body)
    evening = {
        "name": "Evening",
        "description": "Calm pieces for the last hours",
        "quiet_hours_start": "00:00",
        "quiet_hours_end": "18:00",
        "items": [{"item_type": "music", "music_file": track} for track in tracks[:2]],
    }
    owner.call("POST", "/api/channel-playlists/", expect=201, json=evening)
    guest = {"name": "Gina Gallery", "email": "gina@demo-coffee.example", "role": "floor_user"}
    owner.call("POST", "/api/users/", expect=201, json={**guest, "floor": floors[-1]})
    hook = {
        "url": "https://hooks.demo-coffee.example/sync2gear",
        "events": ["play.failed", "device.offline"],
    }
    owner.call("POST", "/api/webhooks/", expect=201, json=hook)


def _accounts(staff: lab.Person) -> None:
    """An account of the staff's at a provider of voices. Nothing asks it for anything."""
    account = {"provider": "elevenlabs", "name": "Voices", "api_key": "no-key", "monthly_budget_usd": "25.00"}
    staff.call("POST", "/api/ai-providers/", expect=201, json=account)


def _plays(owner: lab.Person, devices: list[int]) -> None:
    """Waits until the speakers play music and the demo's greeting was heard; then plays more, once not for all ears."""

    def music(device: int) -> bool:
        playing = owner.get(f"/api/devices/{device}/status/")["reported"].get("now_playing") or {}
        return bool(playing.get("kind") == "music")

    def over() -> bool:
        events = owner.get("/api/play-events/")["results"]
        ordered = [each for each in events if each["created_by_name"]]
        return bool(ordered) and all(each["status"] in ("completed", "failed") for each in ordered)

    for device in devices:
        lab.wait_for("music", partial(music, device), seconds=120, every=0.5)
    lab.wait_for("the greeting", over, seconds=60, every=0.5)
    titles = {each["title"]: each["id"] for each in owner.get("/api/announcements/")["results"]}
    heard = {"devices": devices}
    for title, where in (("Fresh pastries", {"all": True}), ("Loyalty card", heard), ("Closing soon", heard)):
        owner.call("POST", f"/api/announcements/{titles[title]}/play/", expect=202, json=where)
        lab.wait_for("the receipts", over, seconds=120, every=0.5)


def sign_in(page: Page, shop: Shop, who: str) -> None:
    """Signs in on the page."""
    email, password = shop.people[who]
    page.goto(f"{shop.url}/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("navigation", name="Main navigation").first.wait_for()


def show(page: Page, shop: Shop, address: str) -> None:
    """Opens a page and waits until it has all that it shows."""
    page.goto(shop.url + address)
    settled(page)


def settled(page: Page) -> None:
    """Waits until nothing is being loaded any more."""
    page.wait_for_load_state("networkidle")  # once for each address: what comes later is seen by its marks
    page.evaluate(SETTLED, chromium.PATIENCE_MS)
