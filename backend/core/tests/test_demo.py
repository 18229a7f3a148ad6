"""The demo business: made once, private where it must be, and never again once somebody deleted a part of it."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from typing import Any

import pytest
from rest_framework.test import APIClient

from announcements.models import Announcement
from clients.models import Client
from common import clock
from common.crypto import fingerprint
from common.environment import FirstStart
from common.media_fields import Readiness
from core.embedded import demo, welcome
from core.embedded.first_start import Account, ensure_super_admin, super_admin
from devices.models import Device
from events.models import PlayEvent
from music.models import MusicFile
from playlists.models import ChannelPlaylist
from users.models import User
from zones.models import Floor

WANTED = FirstStart(admin_email="boss@example.com", admin_password="", demo=True)

pytestmark = pytest.mark.usefixtures("everything")


@pytest.fixture
def boss(db: None) -> User:
    ensure_super_admin(WANTED)
    return super_admin()


@pytest.fixture
def made(boss: User, tmp_path: Path) -> demo.DemoFolder:
    folder = demo.folder_in(tmp_path)
    assert demo.prepare(folder, by=boss, now=clock.now())
    return folder


def short_tracks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "TRACK_SECONDS", 2.0)


@pytest.mark.django_db
def test_the_super_admin_is_made_once_and_can_sign_in() -> None:
    account = ensure_super_admin(WANTED)
    assert account is not None
    assert account.email == "boss@example.com"
    assert account.password not in repr(account)
    body = {"email": account.email, "password": account.password}
    assert APIClient().post("/api/auth/login/", body).status_code == 200
    assert ensure_super_admin(WANTED) is None
    assert User.everyone.count() == 1


@pytest.mark.django_db
def test_the_chosen_password_holds() -> None:
    account = ensure_super_admin(
        FirstStart(admin_email="a@example.com", admin_password="my choice", demo=False)
    )
    assert account == Account("a@example.com", "my choice", chosen=True)
    assert super_admin().check_password("my choice")


def test_what_the_demo_holds(made: demo.DemoFolder) -> None:
    client = Client.objects.get()
    assert (client.name, client.lock()) == ("Demo Coffee", None)
    assert set(Floor.objects.values_list("name", flat=True)) == {"Coffee bar", "Gallery"}
    assert Device.objects.filter(floor__isnull=False).count() == 3
    assert set(User.everyone.filter(client=client).values_list("role", flat=True)) == {"client", "floor_user"}


def test_its_secrets_are_in_private_files(made: demo.DemoFolder) -> None:
    assert made.path.stat().st_mode & 0o777 == 0o700
    for file in (made.sign_in, made.speaker_token):
        assert file.stat().st_mode & 0o777 == 0o600
    speaker = Device.objects.get(name="Counter")
    assert speaker.token_hash == fingerprint(made.speaker_token.read_text())


@pytest.mark.parametrize("email", [demo.OWNER, demo.BARISTA])
def test_its_people_sign_in_with_what_the_file_says(made: demo.DemoFolder, email: str) -> None:
    (line,) = (line for line in made.sign_in.read_text().splitlines() if email in line)
    body = {"email": email, "password": line.split()[-1]}
    assert APIClient().post("/api/auth/login/", body).status_code == 200


def test_a_second_start_makes_nothing_even_if_the_business_was_deleted(
    made: demo.DemoFolder, boss: User
) -> None:
    assert not demo.prepare(made, by=boss, now=clock.now())
    assert Client.objects.count() == 1
    Client.objects.all().delete()
    assert not demo.prepare(made, by=boss, now=clock.now())
    demo.furnish(made, now=clock.now())
    assert demo.greet(made, now=clock.now())
    assert not Client.objects.exists()


def test_a_server_with_a_business_gets_no_demo(shop: Any, boss: User, tmp_path: Path) -> None:
    assert not demo.prepare(demo.folder_in(tmp_path), by=boss, now=clock.now())
    assert not (tmp_path / "demo").exists()


def test_sounds_are_asked_for_once(made: demo.DemoFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    short_tracks(monkeypatch)
    demo.furnish(made, now=clock.now())
    titles = {"Greeting", "Fresh pastries", "Closing soon"}
    assert set(Announcement.objects.values_list("title", flat=True)) == titles
    assert MusicFile.objects.count() == len(demo.TRACKS)
    assert set(MusicFile.objects.values_list("artist", flat=True)) == {"sync2gear"}
    channel = ChannelPlaylist.objects.get()
    assert channel.items.count() == len(demo.TRACKS) + 1
    assert channel.assignments.count() == len(demo.FLOORS)
    MusicFile.objects.all().delete()
    demo.furnish(made, now=clock.now())
    assert not MusicFile.objects.exists(), "what somebody deleted stays deleted"


def test_a_furnishing_that_was_stopped_goes_on(
    made: demo.DemoFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_tracks(monkeypatch)
    make, stopping = demo._make_track, Event()

    def make_and_stop(seed: int, **kwargs: Any) -> None:
        make(seed, **kwargs)
        if seed == 1:
            stopping.set()

    monkeypatch.setattr(demo, "_make_track", make_and_stop)
    demo.furnish(made, now=clock.now(), stopping=stopping)
    assert MusicFile.objects.count() == 2
    demo.furnish(made, now=clock.now())
    assert MusicFile.objects.count() == len(demo.TRACKS)
    assert Announcement.objects.count() == len(demo.WORDS)


def test_the_speaker_is_greeted_once_it_is_online_and_the_words_are_spoken(made: demo.DemoFolder) -> None:
    now = clock.now()
    client = Client.objects.get()
    assert not demo.greet(made, now=now)
    Device.objects.filter(name="Counter").update(last_seen=now)
    assert not demo.greet(made, now=now)
    Announcement.objects.create(
        client=client,
        title=demo.GREETING,
        type="tts",
        status=Readiness.READY,
        audio_file="greeting.mp3",
        sha256="0" * 64,
        duration_ms=2000,
    )
    assert demo.greet(made, now=now)
    assert demo.greet(made, now=now)
    event = PlayEvent.objects.get()
    assert (event.device_name, event.announcement_title) == ("Counter", demo.GREETING)


def test_the_welcome_says_what_is_next() -> None:
    said = welcome.text(
        welcome.Facts(
            url="http://127.0.0.1:8000",
            docs_path="/api/docs/",
            elsewhere=("http://till.local:8000",),
            admin=Account("boss@example.com", "s3cret"),
            demo=(demo.OWNER, "var/demo/sign-in.txt"),
        )
    )
    for part in ("/api/docs/", "till.local", "s3cret", demo.OWNER, "var/demo/sign-in.txt", "make speaker"):
        assert part in said
    short = welcome.text(welcome.Facts(url="http://127.0.0.1:8000", docs_path="/api/docs/"))
    assert "password" not in short
