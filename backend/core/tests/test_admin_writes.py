"""What staff do in Django's admin: by the API's services, under the same rules, on the same record; and signing in."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.urls import reverse

from ai_config.models import AIProvider
from announcements.models import Announcement
from audit.models import AuditLog
from clients.models import Client
from common import clock
from common.tenancy import system_scope
from common.tests.sounds import sound
from conftest import PASSWORD, Business, make_user
from core import retention
from devices.models import Device
from events.tests.support import fresh, make_event
from music.models import MusicFile
from playlists.models import ChannelPlaylist
from schedules.models import FloorStop, Schedule
from users.models import OutgoingMail, User
from zones.models import Floor

pytestmark = [pytest.mark.django_db, pytest.mark.once("embedded")]

LOGIN = "/admin/login/"


@pytest.fixture
def boss() -> User:
    """A super admin, as `createsuperuser` makes them."""
    return User.everyone.create_superuser("boss@example.com", "boss@example.com", PASSWORD)


@pytest.fixture
def browser(boss: User) -> Browser:
    """Signed in to the admin."""
    browser = Browser()
    browser.force_login(boss)
    return browser


def page(row: Any, name: str = "change") -> str:
    """The path of a page of this row; of a model, its list or form."""
    args = () if isinstance(row, type) else (row.pk,)
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{name}", args=args)


def trail(**filters: Any) -> list[tuple[str, str, dict[str, Any]]]:
    """Entries of the audit trail, oldest first: action, resource, details."""
    with system_scope("the test looks at the trail"):
        entries = AuditLog.objects.filter(**filters).order_by("timestamp", "pk")
        return [(entry.action, entry.resource, json.loads(entry.details)) for entry in entries]


def row_of(model: Any, **filters: Any) -> Any:
    """The row, or None."""
    with system_scope("the test looks at the row"):
        return model._base_manager.filter(**filters).first()


def filled(browser: Browser, path: str) -> dict[str, Any]:
    """The values of a form as the browser shows them, to be sent back with changes."""
    form = browser.get(path).context["adminform"].form
    values = {}
    for bound in form:
        value = bound.value()
        if bound.field.widget.__class__.__name__.endswith("SplitDateTimeWidget"):
            parts = bound.field.widget.decompress(value)
            values |= {f"{bound.html_name}_{place}": part or "" for place, part in enumerate(parts)}
        elif value is not None and value is not False:
            values[bound.html_name] = value
    return values


def save(browser: Browser, row: Any, **changes: Any) -> Any:
    """Opens a row's form, changes some of it and saves; answers what comes back."""
    name = "add" if isinstance(row, type) else "change"
    path = page(row, name)
    values = filled(browser, path) | changes
    inlines = browser.get(path).context["inline_admin_formsets"]
    for inline in inlines:
        prefix = inline.formset.prefix
        values |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    return browser.post(path, {name: value for name, value in values.items() if value is not None})


def complaint(answer: Any) -> str:
    """The errors on a form that was shown again."""
    assert answer.status_code == 200
    form = answer.context["adminform"].form
    return " ".join(text for texts in form.errors.values() for text in texts)


# --- the same rules, the same record ---------------------------------------------------------------------


def test_a_change_leaves_what_the_api_s_leaves(
    browser: Browser, call: Any, boss: User, shop: Business
) -> None:
    save(browser, shop.floors[0], description="By the door", default_volume=40)
    body = {"description": "By the door", "default_volume": 40}
    assert call(boss).patch(f"/api/floors/{shop.floors[1].pk}/", body).status_code == 200
    here, there = (
        trail(resource="floor", action="update", resource_id=str(floor.pk), user_id=boss.pk)
        for floor in shop.floors
    )
    assert here == there
    assert here[0][2]["after"] == body


def test_an_unchanged_form_writes_nothing(browser: Browser, shop: Business) -> None:
    before = len(trail())
    for row in (shop.floors[0], shop.devices[0], shop.floor_user):
        assert save(browser, row).status_code == 302
    assert len(trail()) == before


def test_a_new_floor_is_counted_as_the_plan_has_it(browser: Browser, shop: Business) -> None:
    assert save(browser, Floor, client=shop.client.pk, name="Roof").status_code == 302
    assert row_of(Floor, name="Roof").is_premium
    with system_scope("test data"):
        shop.client.multi_floor_enabled = False
        shop.client.save()
    answer = save(browser, Floor, client=shop.client.pk, name="Cellar")
    assert "Your plan has one floor" in complaint(answer)
    assert row_of(Floor, name="Cellar") is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"min_volume": 90}, "The default volume (75) must lie within 90 to 100."),
        ({"quiet_hours_start": "22:00"}, "Quiet hours need both a start and an end"),
        ({"name": "Upper"}, "There is a floor with this name already."),
        ({"timezone": "Mars/Crater"}, "is not an IANA time zone"),
    ],
)
def test_what_a_service_refuses_is_told_on_the_form(
    changes: dict[str, Any], words: str, browser: Browser, shop: Business
) -> None:
    before = len(trail())
    assert words in complaint(save(browser, shop.floors[0], **changes))
    assert row_of(Floor, pk=shop.floors[0].pk).name == "Ground"
    assert len(trail()) == before


def test_no_reference_leads_to_another_business(
    browser: Browser, shop: Business, other_shop: Business
) -> None:
    answer = save(browser, shop.devices[0], floor=other_shop.floors[0].pk)
    assert "That belongs to another client." in complaint(answer)
    answer = save(browser, Device, client=shop.client.pk, floor=other_shop.floors[0].pk, name="New")
    assert "That belongs to another client." in complaint(answer)


def test_a_record_stays_with_its_business(browser: Browser, shop: Business, other_shop: Business) -> None:
    save(browser, shop.floors[0], client=other_shop.client.pk, description="Stays")
    floor = row_of(Floor, pk=shop.floors[0].pk)
    assert (floor.client_id, floor.description) == (shop.client.pk, "Stays")


# --- deleting --------------------------------------------------------------------------------------------


def test_rows_deleted_together_are_deleted_one_by_one(browser: Browser, shop: Business) -> None:
    chosen = {
        "action": "delete_selected",
        "_selected_action": [floor.pk for floor in shop.floors],
    }
    asked = browser.post(page(Floor, "changelist"), chosen)
    assert b"Are you sure" in asked.content
    assert len(trail(action="delete", resource="floor")) == 0
    browser.post(page(Floor, "changelist"), chosen | {"post": "yes"})
    assert len(trail(action="delete", resource="floor")) == 2


def test_one_refusal_keeps_all_that_were_to_be_deleted(browser: Browser, shop: Business) -> None:
    chosen = {
        "action": "delete_selected",
        "_selected_action": [shop.floor_user.pk, shop.admin.pk],
        "post": "yes",
    }
    answer = browser.post(page(User, "changelist"), chosen, follow=True)
    assert b"only active admin" in answer.content
    assert row_of(User, pk=shop.floor_user.pk)
    assert trail(action="delete") == []


def test_the_page_that_asks_tells_what_goes_too(browser: Browser, shop: Business, boss: User) -> None:
    with system_scope("test data"):
        FloorStop.objects.create(floor=shop.floors[0], starts_at=clock.now(), created_by=boss)
    assert b"floor stops" in browser.get(page(shop.floors[0], "delete")).content.lower()
    assert browser.post(page(shop.floors[0], "delete"), {"post": "yes"}).status_code == 302
    assert row_of(Floor, pk=shop.floors[0].pk) is None


def test_nobody_deletes_themselves(browser: Browser, boss: User) -> None:
    answer = browser.post(page(boss, "delete"), {"post": "yes"}, follow=True)
    assert b"Nobody deletes their own account" in answer.content
    assert row_of(User, pk=boss.pk)


# --- people ----------------------------------------------------------------------------------------------


def test_an_account(browser: Browser, shop: Business) -> None:
    fields = {
        "email": "New@Example.com",
        "first_name": "N",
        "role": "floor_user",
        "client": shop.client.pk,
        "floor": shop.floors[0].pk,
        "is_active": "on",
    }
    assert "too short" in complaint(save(browser, User, new_password="short", **fields))
    assert save(browser, User, new_password=PASSWORD, **fields).status_code == 302
    user = row_of(User, email="new@example.com")
    assert (user.role, user.floor_id, user.is_staff) == ("floor_user", shop.floors[0].pk, False)
    assert user.check_password(PASSWORD)


def test_an_account_without_a_password_is_invited(browser: Browser, shop: Business) -> None:
    fields = {"email": "new@example.com", "role": "client", "client": shop.client.pk, "is_active": "on"}
    assert save(browser, User, **fields).status_code == 302
    user = row_of(User, email="new@example.com")
    assert user.status == "invited"
    assert b"An invitation is on its way to new@example.com." in press(browser, user, "invite").content
    assert list(OutgoingMail.objects.values_list("address", flat=True)) == ["new@example.com"] * 2
    assert b"has a password already" in press(browser, shop.admin, "invite").content


def test_a_password_is_set_and_never_shown(browser: Browser, shop: Business) -> None:
    assert save(browser, shop.floor_user, new_password="another good one").status_code == 302
    user = row_of(User, pk=shop.floor_user.pk)
    assert user.check_password("another good one")
    assert user.password.encode() not in browser.get(page(user)).content
    assert "another good one" not in str(trail())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"role": "admin", "client": None}, "Staff stay staff and clients stay clients"),
        ({"role": "floor_user"}, "This is the business's only active admin."),
        ({"is_active": None}, "This is the business's only active admin."),
        ({"email": "boss@example.com"}, "Somebody signs in with this address already."),
    ],
)
def test_rules_about_people(changes: dict[str, Any], words: str, browser: Browser, shop: Business) -> None:
    assert words in complaint(save(browser, shop.admin, **changes))


def test_nobody_changes_their_own_role(browser: Browser, boss: User) -> None:
    assert "own account" in complaint(save(browser, boss, is_active=None))


# --- sounds ----------------------------------------------------------------------------------------------


def test_music_is_taken_for_what_it_decodes_as(browser: Browser, shop: Business) -> None:
    track = SimpleUploadedFile("track.mp3", sound("mp3"))
    answer = save(browser, MusicFile, client=shop.client.pk, artist="Somebody", file=track)
    assert answer.status_code == 302
    music = row_of(MusicFile)
    assert (music.artist, music.created_by.email, music.duration_ms > 0) == (
        "Somebody",
        "boss@example.com",
        True,
    )
    assert [entry[0] for entry in trail(resource="music")] == ["upload"]


def test_what_is_no_audio_is_refused(browser: Browser, shop: Business) -> None:
    words = SimpleUploadedFile("words.mp3", b"These are words.")
    assert complaint(save(browser, MusicFile, client=shop.client.pk, name="Words", file=words))
    assert row_of(MusicFile) is None


def test_an_announcement_is_spoken(browser: Browser, shop: Business) -> None:
    values = {"client": shop.client.pk, "title": "Closing", "type": "tts", "enabled": "on"}
    assert "needs it" in complaint(save(browser, Announcement, **values))
    assert save(browser, Announcement, text="We close soon.", **values).status_code == 302
    announcement = row_of(Announcement)
    assert (announcement.status, announcement.created_by.email) == ("generating", "boss@example.com")


# --- buttons ---------------------------------------------------------------------------------------------


def press(browser: Browser, row: Any, button: str, **filled: Any) -> Any:
    """Asks for the confirmation, which does nothing, and gives it."""
    path = page(row, button)
    before = len(trail())
    assert browser.get(path).status_code == 200
    assert len(trail()) == before
    return browser.post(path, filled, follow=True)


def test_a_new_token_is_shown_once(browser: Browser, shop: Business) -> None:
    device = shop.devices[0]
    answer = press(browser, device, "rotate_token")
    token = re.search(r"<pre[^>]*>([^<]+)</pre>", answer.content.decode())
    assert token is not None
    assert "no-store" in answer["Cache-Control"]
    stored = row_of(Device, pk=device.pk)
    assert stored.token_hash
    for path in (page(device), page(Device, "changelist")):
        for secret in (token[1], stored.token_hash):
            assert secret.encode() not in browser.get(path).content
    assert [entry[0] for entry in trail(resource="device", resource_id=str(device.pk))][-1] == "rotate_token"


def test_a_token_is_revoked(browser: Browser, shop: Business) -> None:
    assert b"The token was revoked" in press(browser, shop.devices[0], "revoke_token").content
    assert row_of(Device, pk=shop.devices[0].pk).revoked_at is not None
    assert trail(action="revoke_token")


def test_a_refused_button_says_why(browser: Browser, shop: Business) -> None:
    assert b"is offline" in press(browser, shop.devices[0], "test_tone").content


def test_a_confirmation_needs_the_form_s_own_token(boss: User, shop: Business) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(boss)
    assert browser.post(page(shop.devices[0], "revoke_token")).status_code == 403
    assert row_of(Device, pk=shop.devices[0].pk).revoked_at is None


def test_a_play_is_taken_back(browser: Browser, shop: Business) -> None:
    event = make_event(shop, now=clock.now())
    assert b"It was taken back" in press(browser, event, "cancel").content
    assert fresh(event).reason == "cancelled"
    assert b"It has ended already." in press(browser, event, "cancel").content


def test_a_floor_is_stopped_and_resumed(browser: Browser, shop: Business) -> None:
    assert save(browser, FloorStop, floor=shop.floors[0].pk).status_code == 302
    stop = row_of(FloorStop)
    assert (stop.floor_id, stop.until, stop.created_by.email) == (shop.floors[0].pk, None, "boss@example.com")
    assert b"The stop was lifted." in press(browser, stop, "lift").content
    assert row_of(FloorStop).until <= clock.now()


def test_a_schedule_that_can_never_fire_stays_off(browser: Browser, shop: Business, boss: User) -> None:
    with system_scope("test data"):
        schedule = Schedule.objects.create(
            client=shop.client,
            name="Empty",
            schedule_type="interval",
            interval_minutes=60,
            enabled=False,
            created_by=boss,
        )
    assert save(browser, schedule, name="Still empty", active_days=["6", "7"]).status_code == 302
    stored = row_of(Schedule)
    assert (stored.name, stored.active_days) == ("Still empty", [6, 7])
    assert b"Without an announcement it can never fire" in press(browser, schedule, "toggle").content
    assert "can never fire" in complaint(save(browser, schedule, enabled="on"))


def test_a_playlist(browser: Browser, shop: Business) -> None:
    fields = {"client": shop.client.pk, "name": "All day", "enabled": "on"}
    assert save(browser, ChannelPlaylist, **fields).status_code == 302
    playlist = row_of(ChannelPlaylist)
    assert playlist.created_by.email == "boss@example.com"
    assert "Quiet hours need both" in complaint(save(browser, playlist, quiet_hours_start="22:00"))


# --- businesses and providers ----------------------------------------------------------------------------


def test_a_business(browser: Browser) -> None:
    fields = {
        "name": "Corner",
        "business_name": "Corner Ltd",
        "email": "Hello@Corner.example",
        "telephone": "1",
    }
    assert save(browser, Client, **fields).status_code == 302
    client = row_of(Client)
    assert (client.email, client.status, client.subscription_status) == (
        "hello@corner.example",
        "trial",
        "trial",
    )
    assert client.trial_ends_at - clock.now() > timedelta(days=13)
    assert "already" in complaint(save(browser, Client, **fields))


def test_a_business_is_locked_and_opened_by_buttons(browser: Browser, shop: Business) -> None:
    save(browser, shop.client, status="suspended", ai_credits=7)
    assert (row_of(Client).status, row_of(Client).ai_credits) == ("active", 7)
    assert b"is suspended." in press(browser, shop.client, "suspend").content
    assert row_of(Client).status == "suspended"
    assert b"Set its status to trial first." in press(browser, shop.client, "extend_trial", days=3).content
    press(browser, shop.client, "activate")
    assert row_of(Client).status == "active"


def test_a_business_is_deleted_in_two_steps(browser: Browser, shop: Business) -> None:
    def confirm(name: str) -> bytes:
        content: bytes = press(browser, shop.client, "confirm_deletion", name=name).content
        return content

    assert b"Ask for it first" in confirm("Our shop")
    assert b"It is locked." in press(browser, shop.client, "request_deletion").content
    assert b"Type the name of the business" in confirm("My shop")
    assert b"It stays." in press(browser, shop.client, "cancel_deletion").content
    press(browser, shop.client, "request_deletion")
    assert b"It is being deleted" in confirm("Our shop")
    assert [action for action, _, _ in trail(resource="client", action__endswith="deletion")] == [
        "request_deletion",
        "cancel_deletion",
        "request_deletion",
        "confirm_deletion",
    ]


def test_the_key_of_a_provider_is_set_and_never_shown(browser: Browser) -> None:
    fields = {"name": "Voices", "provider": "elevenlabs", "is_active": "on"}
    assert "Give the key." in complaint(save(browser, AIProvider, **fields))
    assert save(browser, AIProvider, new_key="sk-first-of-all-keys", **fields).status_code == 302
    provider = row_of(AIProvider)
    assert save(browser, provider, name="Best voices").status_code == 302
    assert (row_of(AIProvider).api_key, row_of(AIProvider).name) == ("sk-first-of-all-keys", "Best voices")
    assert save(browser, provider, new_key="sk-second-of-all-keys").status_code == 302
    assert row_of(AIProvider).api_key == "sk-second-of-all-keys"
    assert b"-of-all-" not in browser.get(page(provider)).content
    assert "-of-all-" not in str(trail())
    assert b"is off." in press(browser, provider, "toggle").content
    assert not row_of(AIProvider).is_active


# --- signing in ------------------------------------------------------------------------------------------


def sign_in(account: str, password: str = PASSWORD, browser: Browser | None = None) -> Any:
    """Posts the form of the sign-in."""
    return (browser or Browser()).post(f"{LOGIN}?next=/admin/", {"username": account, "password": password})


def test_a_superuser_signs_in_and_out(boss: User) -> None:
    browser = Browser()
    assert sign_in("BOSS@example.com", browser=browser).headers["Location"] == "/admin/"
    assert b"Overview" in browser.get("/admin/").content
    browser.post("/admin/logout/")
    assert browser.get("/admin/").status_code == 302
    entries = trail(resource="user", user_id=boss.pk)
    assert [(action, details) for action, _, details in entries] == [
        ("login", {"account": "boss@example.com", "to": "admin"}),
        ("logout", {"account": "boss@example.com", "to": "admin"}),
    ]


@pytest.mark.parametrize(
    "who", ["nobody@example.com", "boss@example.com", "{admin}", "{floor_user}", "{plain}"]
)
def test_everybody_else_is_answered_the_same(who: str, boss: User, shop: Business) -> None:
    plain = make_user("admin")  # the role without Django's own flag
    account = who.format(admin=shop.admin.email, floor_user=shop.floor_user.email, plain=plain.email)
    answer = sign_in(account, "wrong" if who == boss.email else PASSWORD)
    assert (answer.status_code, "sessionid" in answer.cookies) == (200, False)
    assert b"The e-mail address or the password is wrong." in answer.content
    assert [action for action, _, _ in trail(action__startswith="login")] == ["login_failed"]


def test_a_guesser_is_slowed_here_and_at_the_api_together(boss: User, call: Any) -> None:
    for _ in range(5):
        assert sign_in(boss.email, "wrong").status_code == 200
        body = {"email": boss.email, "password": "wrong"}
        assert call(None).post("/api/auth/login/", body).status_code == 401
    answer = sign_in(boss.email)
    assert (answer.status_code, int(answer["Retry-After"]) > 0) == (429, True)
    assert b"Too many attempts." in answer.content


def test_who_is_switched_off_is_out_at_once(browser: Browser, boss: User) -> None:
    assert browser.get("/admin/").status_code == 200
    User.everyone.filter(pk=boss.pk).update(is_active=False)
    assert browser.get("/admin/").status_code == 302


def test_a_session_ends_and_is_forgotten(boss: User) -> None:
    browser = Browser()
    cookie = sign_in(boss.email, browser=browser).cookies["sessionid"]
    assert (cookie["max-age"], cookie["httponly"], cookie["samesite"]) == (12 * 3600, True, "Lax")
    retention.forget_old(now=clock.now() + timedelta(hours=11))
    assert browser.get("/admin/").status_code == 200
    retention.forget_old(now=clock.now() + timedelta(hours=13))
    assert browser.get("/admin/").status_code == 302


def test_the_overview(browser: Browser, shop: Business) -> None:
    with system_scope("test data"):
        Device.objects.filter(pk=shop.devices[0].pk).update(last_seen=clock.now())
    make_event(shop, now=clock.now(), status="failed", reason="offline")
    make_event(shop, now=clock.now() - timedelta(days=2))
    sign_in(shop.admin.email, "wrong")
    figures = {figure.title: figure for figure in browser.get("/admin/").context["figures"]}
    assert {title: figure.number for title, figure in figures.items()} == {
        "Businesses": 1,
        "Speakers online": 1,
        "Plays in 24 hours": 1,
        "Failed plays in 24 hours": 1,
        "Refused sign-ins in 24 hours": 1,
    }
    for figure in figures.values():
        assert browser.get(figure.link).status_code == 200
