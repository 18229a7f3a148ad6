"""Jobs on people."""

from __future__ import annotations

from celery import shared_task

from common import clock, jobs
from users import mailing


@shared_task(name="users.deliver_mail")
def deliver_mail(mail_id: int) -> None:
    """Sends one mail of the outbox."""
    mailing.deliver(mail_id=mail_id, now=clock.now())


@shared_task(name="users.deliver_due_mails")
def deliver_due_mails() -> None:
    """Asks for what waits in the outbox: what failed before, or lost its job with its process."""
    for mail_id in mailing.due(now=clock.now()):
        jobs.enqueue(deliver_mail, mail_id)
