"""The mail that tells a business that one of its webhooks was switched off."""

from __future__ import annotations

import logging

from django.core.mail import send_mail

from common.tenancy import system_scope
from webhooks.models import Webhook

SUBJECT = "sync2gear no longer calls one of your webhooks"
TEXT = """\
Hello,

sync2gear has stopped sending events of {business} to

    {url}

because {why}.
Nothing is sent there any more. When it works again, switch it on among your
webhooks; what it has missed can be sent again from its list of deliveries,
for two weeks.
"""
WHY = {
    Webhook.Off.GONE: "it answered 410 Gone, which means that it wants no more of them",
    Webhook.Off.FAILING: "every attempt of the last day has failed ({failures} in a row)",
}

logger = logging.getLogger(__name__)


def tell_switched_off() -> int:
    """Mails each business that is still to be told, at its own address; returns how many mails were taken.

    What the mail server does not take is owed until it does; a process that dies in between may send twice.
    """
    told = 0
    with system_scope("the businesses whose webhooks were switched off"):
        for webhook in Webhook.objects.select_related("client").filter(mail_owed=True):
            text = TEXT.format(
                business=webhook.client.business_name,
                url=webhook.url,
                why=WHY[Webhook.Off(webhook.switched_off)].format(failures=webhook.failures),
            )
            try:
                send_mail(SUBJECT, text, None, [webhook.client.email])
            except OSError as error:  # what smtplib raises too
                logger.warning(
                    "the mail about webhook %s was not taken (%s); it is tried again", webhook.pk, error
                )
                continue
            told += Webhook.objects.filter(pk=webhook.pk).update(mail_owed=False)
    return told
