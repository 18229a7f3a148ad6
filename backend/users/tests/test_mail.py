"""The outbox, what our mails say, and the links in them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.core import mail as djangos_mail
from django.core.mail.backends.locmem import EmailBackend

from common import clock
from common.errors import Refusal
from core.periodic import TABLE
from users import links, mailing, mails
from users.models import OutgoingMail, User
from users.tests.support import token_in, trail

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


class Down(EmailBackend):
    """A mail server that is away."""

    def send_messages(self, messages: Any) -> int:
        """Refuses the connection."""
        raise ConnectionRefusedError("nobody listens")


@pytest.fixture
def down(settings: Any) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.{Down.__name__}"


def owed(address: str, kind: str = "password_reset") -> OutgoingMail:
    """A mail in the outbox, due at NOW."""
    return OutgoingMail.objects.create(kind=kind, address=address, asked_at=NOW, due_at=NOW)


# --- the texts ---------------------------------------------------------------------------------------------


def test_an_invitation_reads_well() -> None:
    text = mails.invitation(
        name="Grace Hopper",
        email="grace@example.com",
        business="Corner Shop",
        link="https://sound.example.com/invitation#token=abc",
        until=NOW,
    )
    assert text == mails.Text(
        "Corner Shop invites you to sync2gear",
        """\
Hello Grace Hopper,

Corner Shop has made an account for you on sync2gear, which plays the music and
the announcements in the shops. Choose a password, and you are in:

https://sound.example.com/invitation#token=abc

The link works once, until 02 March 2026, 09:30 UTC. Afterwards you sign in
with your address, grace@example.com.

If you expected no invitation, leave this mail alone: without a password
nobody can sign in to the account.
""",
    )


def test_a_reset_reads_well() -> None:
    text = mails.password_reset(name="", email="g@example.com", link="https://x.example/p#token=t", until=NOW)
    assert text.subject == "A new password for sync2gear"
    assert text.body.startswith("Hello,\n\nSomebody, probably you, asked for a new password")
    assert (
        "\n\nhttps://x.example/p#token=t\n\nThe link works once, until 02 March 2026, 09:30 UTC." in text.body
    )


def test_what_somebody_typed_breaks_no_header() -> None:
    text = mails.invitation(
        name="A\nB",
        email="a@example.com",
        business="Shop\r\nBcc: all@example.com " + "x" * 99,
        link="",
        until=NOW,
    )
    assert text.subject == f"{('Shop Bcc: all@example.com ' + 'x' * 99)[:60]} invites you to sync2gear"
    assert text.body.startswith("Hello A B,\n")


# --- the outbox --------------------------------------------------------------------------------------------


def test_a_mail_is_sent_once_and_leaves_the_outbox(shop: Any, settings: Any) -> None:
    settings.PUBLIC_URL = "https://sound.example.com"
    mail = owed(shop.admin.email.upper())
    mailing.deliver(mail_id=mail.pk, now=NOW)
    mailing.deliver(mail_id=mail.pk, now=NOW)
    (sent,) = djangos_mail.outbox
    assert (sent.to, sent.from_email, sent.subject) == (
        [shop.admin.email],
        settings.DEFAULT_FROM_EMAIL,
        "A new password for sync2gear",
    )
    assert re.search(r"^https://sound\.example\.com/password-reset#token=\S+$", sent.body, re.MULTILINE)
    message: EmailMessage = sent.message()
    assert message.get_content_type() == "text/plain"
    assert not OutgoingMail.objects.exists()


@pytest.mark.usefixtures("down")
def test_a_mail_server_that_is_away_loses_no_mail(
    shop: Any, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    mail = owed(shop.admin.email)
    now, waits = NOW, []
    for _ in range(8):
        mailing.deliver(mail_id=mail.pk, now=now)
        assert mailing.due(now=now) == []
        mail.refresh_from_db()
        waits.append(mail.due_at - now)
        now = mail.due_at
        assert mailing.due(now=now) == [mail.pk]
    assert waits == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 16, 32, 60, 60)]
    assert "was not taken" in caplog.text
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mailing.deliver(mail_id=mail.pk, now=now)
    assert len(djangos_mail.outbox) == 1
    assert not OutgoingMail.objects.exists()


@pytest.mark.usefixtures("down")
def test_a_mail_that_nobody_takes_is_given_up_and_audited(shop: Any) -> None:
    mail = owed(shop.admin.email, kind="invitation")
    User.everyone.filter(pk=shop.admin.pk).update(password="!unusable")
    now = NOW
    for _ in range(mailing.MOST_ATTEMPTS):
        mailing.deliver(mail_id=mail.pk, now=now)
        now = OutgoingMail.objects.get().due_at
    assert trail("mail_failed") == []
    mailing.deliver(mail_id=mail.pk, now=now)
    (entry,) = trail("mail_failed")
    assert (entry.resource_id, entry.client_id, entry.actor) == (str(shop.admin.pk), shop.client.pk, "system")
    assert entry.details == {
        "kind": "invitation",
        "account": shop.admin.email,
        "attempts": mailing.MOST_ATTEMPTS,
    }
    assert not OutgoingMail.objects.exists()


@pytest.mark.parametrize("who", ["nobody", "switched off", "accepted"])
def test_a_mail_that_nobody_needs_is_dropped(who: str, shop: Any) -> None:
    if who == "switched off":
        User.everyone.filter(pk=shop.admin.pk).update(is_active=False)
    mail = owed(
        "nobody@example.com" if who == "nobody" else shop.admin.email,
        kind="invitation" if who == "accepted" else "password_reset",
    )
    mailing.deliver(mail_id=mail.pk, now=NOW)
    assert djangos_mail.outbox == []
    assert not OutgoingMail.objects.exists()


def test_who_never_chose_a_password_is_invited_again(shop: Any) -> None:
    User.everyone.filter(pk=shop.admin.pk).update(password="!unusable")
    mailing.deliver(mail_id=owed(shop.admin.email).pk, now=NOW)
    assert djangos_mail.outbox[0].subject == "Our shop invites you to sync2gear"


def test_two_deliveries_at_once_send_one_mail(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    mail = owed(shop.admin.email)
    plain = mailing.send_mail

    def meanwhile(*args: Any) -> int:
        mailing.deliver(mail_id=mail.pk, now=NOW)  # the sweep finds the same row
        return plain(*args)

    monkeypatch.setattr(mailing, "send_mail", meanwhile)
    mailing.deliver(mail_id=mail.pk, now=NOW)
    assert len(djangos_mail.outbox) == 1


def test_the_outbox_is_looked_at() -> None:
    assert "users.deliver_due_mails" in {entry.task for entry in TABLE}


def test_the_console_prints_a_mail_whole(
    shop: Any, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    mailing.deliver(mail_id=owed(shop.admin.email).pk, now=NOW)
    printed = capsys.readouterr().out
    assert f"To: {shop.admin.email}" in printed
    assert links.person_behind(token_in(printed), links.PASSWORD_RESET, now=NOW) == shop.admin


# --- the links ---------------------------------------------------------------------------------------------


def refused(token: str, purpose: links.Purpose, now: datetime = NOW) -> bool:
    """Whether the token opens nothing."""
    try:
        links.person_behind(token, purpose, now=now)
    except Refusal as refusal:
        return refusal.code == "link_invalid"
    return False


def test_a_link_lives_as_long_as_it_says(shop: Any) -> None:
    for purpose in (links.INVITATION, links.PASSWORD_RESET):
        token = links.token_for(shop.admin, purpose, now=NOW)
        last = NOW + purpose.life - timedelta(seconds=1)
        assert links.person_behind(token, purpose, now=last) == shop.admin
        assert refused(token, purpose, NOW + purpose.life)


def test_a_link_is_for_one_purpose_and_whole(shop: Any) -> None:
    token = links.token_for(shop.admin, links.PASSWORD_RESET, now=NOW)
    assert refused(token, links.INVITATION)
    for odd in (
        token[:-1],
        token[1:],
        "x" + token,
        token.swapcase(),
        "",
        ".",
        "a.b",
        "ключ.ключ",
        "x" * 5000,
    ):
        assert refused(odd, links.PASSWORD_RESET), odd


@pytest.mark.parametrize(
    "change",
    [
        {"password": "another"},
        {"email": "moved@example.com"},
        {"last_login": NOW},
        {"session_generation": 1},
        {"is_active": False},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_ends_a_link(change: dict[str, Any], shop: Any) -> None:
    token = links.token_for(shop.admin, links.PASSWORD_RESET, now=NOW)
    User.everyone.filter(pk=shop.admin.pk).update(first_name="Grace")
    assert not refused(token, links.PASSWORD_RESET)
    User.everyone.filter(pk=shop.admin.pk).update(**change)
    assert refused(token, links.PASSWORD_RESET)


@pytest.mark.parametrize(
    ("public", "host", "expected"),
    [
        ("https://sound.example.com", "192.0.2.7", "https://sound.example.com"),
        ("", "::", "http://127.0.0.1:8123"),
        ("", "192.0.2.7", "http://192.0.2.7:8123"),
    ],
)
def test_where_links_lead(public: str, host: str, expected: str, settings: Any) -> None:
    from common.environment import read

    settings.PUBLIC_URL = public
    settings.CONFIG = read({"HOST": host, "PORT": "8123"}, project_root=Path("/srv"))
    assert links.public_address() == expected


def test_a_link_made_now_opens_now(shop: Any) -> None:
    now = clock.now()
    assert not refused(links.token_for(shop.admin, links.INVITATION, now=now), links.INVITATION, now)
