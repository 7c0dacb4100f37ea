"""Sending, outside any request."""

import smtplib
from email.utils import make_msgid
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from modules.notifications.models import Mail
from modules.notifications.requires import OrderId, orders
from modules.notifications.services import wording
from monolift import atomic, task
from monolift.kernel import clock

_FIRST_REFUSED_FOR_GOOD = 500
"""Replies from here on are permanent (RFC 5321, 4.2.1)."""


@task
def send(*, mail_id: UUID) -> None:
    """Hand a mail to the mail server; repeated until that works.

    Killed between the server's yes and our note of it, it is sent again, with the same Message-ID,
    by which mail programs know it again. What the server refuses for good is given up.
    """
    mail = Mail.objects.get(pk=mail_id)
    if mail.sent_at or mail.problem:
        return
    order = orders.order(order_id=OrderId(mail.order_id)) if mail.order_id else None
    words = wording.of(mail, order)
    message = EmailMultiAlternatives(
        subject=words.subject,
        body=words.text,
        to=[mail.to],
        headers={"Message-ID": _message_id(mail_id)},
    )
    message.attach_alternative(words.html, "text/html")
    problem = ""
    try:
        message.send()
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, ValueError) as error:
        if not _for_good(error):
            raise
        problem = f"The mail server refuses it: {error}"[:200]
    sent_at = None if problem else clock.now()
    with atomic():
        Mail.objects.filter(pk=mail_id).update(sent_at=sent_at, problem=problem, to="")


def _for_good(error: Exception) -> bool:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
    elif isinstance(error, smtplib.SMTPDataError):
        codes = [error.smtp_code]
    else:
        return True
    return all(code >= _FIRST_REFUSED_FOR_GOOD for code in codes)


def _message_id(mail_id: UUID) -> str:
    domain = make_msgid(domain=settings.NOTIFICATIONS["MAIL_DOMAIN"]).rpartition("@")[2]
    return f"<{mail_id}@{domain}"
