"""The outbox: a mail is a row, written with the change that causes it, until a mail server has taken it.

So a mail server that is away fails no request and loses no mail. A row says whom and what for; link and text are made
when it is sent, so that no token is kept and a late mail holds a link that still lives. A process that dies while it
sends may send twice.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.core.mail import send_mail
from django.db import transaction

from audit.services import record
from users import links, mails
from users.models import OutgoingMail, User
from users.selectors import person_with_address

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
MOST_ATTEMPTS = 24
"""Waits double from a minute to an hour, so that this is some eighteen hours."""
MOST_AT_ONCE = 200
"""Mails that one look at the outbox asks for."""

logger = logging.getLogger(__name__)


def deliver(*, mail_id: int, now: datetime) -> None:
    """Sends one mail if it is due, and takes it out of the outbox. One that nobody needs any more is dropped.

    A mail server that fails is tried again later; after MOST_ATTEMPTS the mail is given up, which is audited.
    """
    mail = _claimed(mail_id, now)
    if mail is None:
        return
    user = person_with_address(mail.address)
    text = _text(mail, user, now) if user is not None and user.may_sign_in else None
    if user is not None and text is not None:
        try:
            send_mail(text.subject, text.body, None, [user.email])
        except OSError as error:  # what smtplib raises too
            logger.warning("mail %s was not taken (%s); it is tried again", mail.pk, error)
            return
    mail.delete()


def due(*, now: datetime) -> Iterable[int]:
    """The mails to be sent now, the oldest first."""
    waiting = OutgoingMail.objects.filter(due_at__lte=now).order_by("due_at")
    return list(waiting.values_list("pk", flat=True)[:MOST_AT_ONCE])


def _claimed(mail_id: int, now: datetime) -> OutgoingMail | None:
    """The mail, if it is due and nobody else sends it; its next turn is put off before the attempt."""
    mail = OutgoingMail.objects.filter(pk=mail_id, due_at__lte=now).first()
    if mail is None:
        return None
    if mail.attempts >= MOST_ATTEMPTS:
        _give_up(mail)
        return None
    wait = min(FIRST_WAIT * 2**mail.attempts, LONGEST_WAIT)
    same = OutgoingMail.objects.filter(pk=mail.pk, attempts=mail.attempts, due_at=mail.due_at)
    return mail if same.update(attempts=mail.attempts + 1, due_at=now + wait) else None


@transaction.atomic
def _give_up(mail: OutgoingMail) -> None:
    user = person_with_address(mail.address)
    logger.error("mail %s (%s) was given up after %s attempts", mail.pk, mail.kind, mail.attempts)
    record(
        "mail_failed",
        resource="user",
        resource_id=user.pk if user else "",
        client_id=user.client_id if user else None,
        details={"kind": mail.kind, "account": mail.address, "attempts": mail.attempts},
    )
    mail.delete()


def _text(mail: OutgoingMail, user: User, now: datetime) -> mails.Text | None:
    """What to write. None for an invitation that was accepted meanwhile.

    Somebody who never chose a password gets their invitation again, whatever they asked for.
    """
    if user.status == User.Status.INVITED:
        return mails.invitation(
            name=user.name,
            email=user.email,
            business=user.client.business_name if user.client else "",
            link=links.link_for(user, links.INVITATION, now=now),
            until=now + links.INVITATION.life,
        )
    if mail.kind == OutgoingMail.Kind.INVITATION:
        return None
    return mails.password_reset(
        name=user.name,
        email=user.email,
        link=links.link_for(user, links.PASSWORD_RESET, now=now),
        until=now + links.PASSWORD_RESET.life,
    )
