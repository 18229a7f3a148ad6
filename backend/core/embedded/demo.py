"""Demo Coffee: a business to look at and to listen to, made at the first start of an empty server.

`prepare` makes the rows, before the server serves. `furnish` makes the sounds, as a background job of the running
server: announcements first, because the demo speaker is greeted with one. Both may be interrupted and run again;
nothing that somebody deleted comes back.
"""

from __future__ import annotations

import logging
import os
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import connections, transaction

from announcements.models import Announcement
from announcements.services import generate_announcement
from clients.models import Client
from clients.services import open_trial
from common import clock, jobs
from common.audio.encode import write_audio
from common.audio.synth import RATE, demo_track, style_of
from common.errors import Refusal
from common.media_fields import Readiness
from common.permissions import CLIENT, FLOOR_USER
from common.tenancy import scope_of_client, system_scope
from core.embedded.first_start import new_password
from devices.models import Device
from devices.services import create_device
from events.services import play_now
from music.models import MusicFile
from music.services import upload_music
from playlists.models import ChannelPlaylist
from playlists.services import Assignment, Entry, assign_floors, create_playlist
from users.models import User
from users.services import create_user
from zones.models import Floor
from zones.services import create_floor

logger = logging.getLogger(__name__)

BUSINESS = "Demo Coffee"
OWNER, BARISTA = "owner@demo-coffee.example", "barista@demo-coffee.example"
FLOORS = ("Coffee bar", "Gallery")
SPEAKERS = (("Counter", "Coffee bar"), ("Window", "Coffee bar"), ("Gallery stairs", "Gallery"))
"""Name and floor. `make speaker` is the first one; the others stay offline, as a speaker without power would."""
GREETING = "Greeting"
OFFER = "Fresh pastries"
OFFER_EVERY_MINUTES = 10
CHANNEL = "All day"
WORDS = (
    (GREETING, "welcome", "Welcome to Demo Coffee. This speaker is now part of your shop."),
    (OFFER, "offers", "Fresh pastries have just left the oven. Ask for one at the counter."),
    ("Closing soon", "closing", "Dear guests, we close in fifteen minutes. Thank you for coming today."),
)
"""Title, category and text of the spoken announcements."""
TRACKS = range(4)
"""Seeds of the generated pieces."""
TRACK_SECONDS = 60.0
GREET_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """What the demo keeps in the data folder, readable by its owner only."""

    path: Path

    @property
    def sign_in(self) -> Path:
        """The accounts' passwords, for people. Its presence says that the demo was made once."""
        return self.path / "sign-in.txt"

    @property
    def speaker_token(self) -> Path:
        """The token of the first speaker, for `make speaker`."""
        return self.path / "speaker.token"

    @property
    def unfurnished(self) -> Path:
        """There until all sounds have been asked for."""
        return self.path / "unfurnished"

    @property
    def ungreeted(self) -> Path:
        """There until the demo speaker has been greeted."""
        return self.path / "ungreeted"


def folder_in(data_dir: Path) -> DemoFolder:
    """The demo's folder below the data folder."""
    return DemoFolder(data_dir / "demo")


def prepare(folder: DemoFolder, *, by: User, now: datetime) -> bool:
    """Makes the business, its people, floors and speakers; returns whether it did.

    Only on a server without any business, and only once: a demo that was deleted stays deleted.
    """
    with system_scope("the demo is made by the server itself, for nobody in particular"):
        if folder.sign_in.exists() or Client.objects.exists():
            return False
        with transaction.atomic():
            passwords, token = _people_and_places(by=by, now=now)
            folder.path.mkdir(mode=0o700, exist_ok=True)
            for note in (folder.unfurnished, folder.ungreeted):
                note.touch(mode=0o600)
            _write_private(folder.speaker_token, token)
            _write_private(folder.sign_in, sign_in_text(passwords))
    return True


def _people_and_places(*, by: User, now: datetime) -> tuple[dict[str, str], str]:
    """Makes the rows; returns the password of each account, and the token of the first speaker."""
    client = open_trial(
        business_name=BUSINESS, email=OWNER, telephone="+44 20 7946 0000", timezone="UTC", now=now
    )
    client.status = Client.Status.ACTIVE
    client.multi_floor_enabled = True
    client.max_floors = 3
    client.save()
    passwords = {address: new_password() for address in (OWNER, BARISTA)}
    owner = create_user(
        by=by, client=client, role=CLIENT, email=OWNER, password=passwords[OWNER], name="Olive Owner"
    )
    floors = {name: create_floor(client=client, by=owner, name=name) for name in FLOORS}
    create_user(
        by=owner,
        client=client,
        role=FLOOR_USER,
        email=BARISTA,
        password=passwords[BARISTA],
        name="Basil Barista",
        floor=floors[FLOORS[0]],
    )
    tokens = [create_device(client=client, name=name, floor=floors[floor])[1] for name, floor in SPEAKERS]
    return passwords, tokens[0]


def sign_in_text(passwords: dict[str, str]) -> str:
    """The accounts as a person reads them."""
    lines = [f"{BUSINESS}: made by this server to try things out. Delete the business when you are done.", ""]
    roles = {OWNER: "client admin", BARISTA: f"floor user of “{FLOORS[0]}”"}
    lines += [f"{roles[address]}: {address}  password: {word}" for address, word in passwords.items()]
    return "\n".join(lines) + "\n"


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _client() -> Client | None:
    """The demo business, unless somebody has deleted it or renamed its address."""
    with system_scope("the demo is found by its address"):
        found: Client | None = Client.objects.filter(email=OWNER).first()
    return found


def furnish(folder: DemoFolder, *, now: datetime, stopping: Event | None = None) -> None:
    """Asks for the announcements and makes the music that is not there yet, until `stopping` is set.

    A sound that is refused, for want of a voice or of room on the disk, is logged; the others are made.
    """
    client = _client()
    if client is None or not folder.unfurnished.exists():
        return
    with scope_of_client(client.pk):
        owner = User.objects.filter(client=client, role=CLIENT).first()
        for title, category, text in WORDS:
            if Announcement.objects.filter(title=title).exists():
                continue
            try:
                fields = {"title": title, "category": category, "text": text, "language": "en"}
                generate_announcement(client=client, created_by=owner, fields=fields, now=now)
            except Refusal as refusal:
                logger.warning("demo announcement %r was not made: %s", title, refusal.detail)
        for seed in TRACKS:
            if stopping is not None and stopping.is_set():
                return
            if not MusicFile.objects.filter(name=style_of(seed).title).exists():
                _make_track(seed, client=client, owner=owner, now=now)
        if owner is not None and not ChannelPlaylist.objects.exists():
            _make_channel(client=client, owner=owner)
    folder.unfurnished.unlink()


def _make_channel(*, client: Client, owner: User) -> None:
    """One channel on every floor: all the music, and now and then what is fresh."""
    spoken = Announcement.objects.filter(title=OFFER)
    entries = [Entry(track) for track in MusicFile.objects.order_by("pk")]
    entries += [Entry(words, OFFER_EVERY_MINUTES) for words in spoken]
    channel = create_playlist(client=client, by=owner, items=entries, name=CHANNEL)
    assign_floors(playlist=channel, assignments=[Assignment(floor) for floor in Floor.objects.all()])


def _make_track(seed: int, *, client: Client, owner: User | None, now: datetime) -> None:
    title = style_of(seed).title
    tags = {"title": title, "artist": "sync2gear", "album": BUSINESS, "genre": "Demonstration"}
    with tempfile.NamedTemporaryFile(suffix=".mp3") as file:
        write_audio(Path(file.name), demo_track(seed, TRACK_SECONDS), RATE, "mp3", tags=tags)
        size = Path(file.name).stat().st_size
        upload: UploadedFile[Any] = UploadedFile(file, f"{title}.mp3", "audio/mpeg", size)
        try:
            upload_music(client=client, created_by=owner, upload=upload, given={}, now=now)
        except Refusal as refusal:
            logger.warning("demo track %r was not made: %s", title, refusal.detail)


def greet(folder: DemoFolder, *, now: datetime) -> bool:
    """Plays the greeting on the demo speaker once that is online and the words are spoken.

    Returns whether there is nothing left to do.
    """
    client = _client()
    if client is None or not folder.ungreeted.exists():
        return True
    with scope_of_client(client.pk):
        speaker = Device.objects.online(now).select_related("floor", "client").order_by("pk").first()
        words = Announcement.objects.filter(title=GREETING, status=Readiness.READY).first()
        if speaker is None or words is None:
            return False
        owner = User.objects.filter(client=client, role=CLIENT).first()
        try:
            play_now(announcement=words, devices=[speaker], user=owner, now=now)
        except Refusal as refusal:
            logger.warning("the demo speaker was not greeted: %s", refusal.detail)
    folder.ungreeted.unlink()
    return True


class Demo:
    """The demo's part in a running server."""

    def __init__(self, folder: DemoFolder) -> None:
        self._folder = folder
        self._stopping = Event()

    def start(self) -> None:
        """Furnishes in a job, and greets from a thread of its own that ends once it has."""
        jobs.executor().submit("demo.furnish", self._furnish)
        if self._folder.ungreeted.exists():
            Thread(target=self._wait_and_greet, name="demo-greeting", daemon=True).start()

    def stop(self) -> None:
        """Leaves the rest of the sounds for the next start, and waits for the speaker no more."""
        self._stopping.set()

    def _furnish(self) -> None:
        furnish(self._folder, now=clock.now(), stopping=self._stopping)

    def _wait_and_greet(self) -> None:
        try:
            while not greet(self._folder, now=clock.now()):
                if self._stopping.wait(GREET_EVERY_S):
                    return
        finally:
            connections.close_all()
