"""Jobs and periodic work of webhooks."""

from __future__ import annotations

from celery import shared_task

from webhooks import mailing
from webhooks.pump import pump


@shared_task(name="webhooks.send_due")
def send_due() -> None:
    """Sends what is due."""
    pump.run()


@shared_task(name="webhooks.tell_switched_off")
def tell_switched_off() -> None:
    """Mails businesses about webhooks that were switched off."""
    mailing.tell_switched_off()
