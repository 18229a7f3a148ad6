"""Jobs and periodic work of webhooks."""

from __future__ import annotations

from celery import shared_task

from common import clock
from webhooks import mailing, outbox
from webhooks.pump import pump


@shared_task(name="webhooks.send_due")
def send_due() -> None:
    """Sends what is due."""
    pump.run()


@shared_task(name="webhooks.forget_old_deliveries")
def forget_old_deliveries() -> None:
    """Deletes deliveries that are older than two weeks."""
    outbox.forget_old(now=clock.now())


@shared_task(name="webhooks.tell_switched_off")
def tell_switched_off() -> None:
    """Mails businesses about webhooks that were switched off."""
    mailing.tell_switched_off()
