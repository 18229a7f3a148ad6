"""What our mails say. Plain text: it reads everywhere and hides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

LONGEST_IN_SUBJECT = 60
"""Of a business's name, in characters."""


@dataclass(frozen=True, slots=True)
class Text:
    """A mail without its address."""

    subject: str
    body: str


def invitation(*, name: str, email: str, business: str, link: str, until: datetime) -> Text:
    """To somebody for whom an account was made: choose a password. `business` is empty for staff."""
    host = one_line(business) or "The sync2gear team"
    return Text(
        subject=f"{host[:LONGEST_IN_SUBJECT]} invites you to sync2gear",
        body=f"""\
{_greeting(name)}

{host} has made an account for you on sync2gear, which plays the music and
the announcements in the shops. Choose a password, and you are in:

{link}

The link works once, until {_spoken(until)}. Afterwards you sign in
with your address, {email}.

If you expected no invitation, leave this mail alone: without a password
nobody can sign in to the account.
""",
    )


def password_reset(*, name: str, email: str, link: str, until: datetime) -> Text:
    """To somebody who cannot sign in: choose a new password."""
    return Text(
        subject="A new password for sync2gear",
        body=f"""\
{_greeting(name)}

Somebody, probably you, asked for a new password for the sync2gear account
{email}. Choose it here:

{link}

The link works once, until {_spoken(until)}. The new password signs you
out everywhere else.

If it was not you, leave this mail alone: your password stays as it is.
""",
    )


def one_line(words: str) -> str:
    """What somebody typed, fit for a subject: no line break, no run of spaces."""
    return " ".join(words.split())


def _greeting(name: str) -> str:
    return f"Hello {one_line(name)}," if name.strip() else "Hello,"


def _spoken(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%d %B %Y, %H:%M} UTC"
