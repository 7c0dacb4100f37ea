"""Sending, outside any request."""

import re
import smtplib
from datetime import datetime, timedelta
from email.utils import make_msgid
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from modules.notifications.models import Mail
from modules.notifications.requires import OrderId, orders
from modules.notifications.services import wording
from monolift import atomic, task
from monolift.kernel import clock
from monolift.observe.logs import logger

log = logger("modules.notifications")

_FIRST_REFUSED_FOR_GOOD = 500
"""Replies from here on are permanent (RFC 5321, 4.2.1)."""

PATIENCE = timedelta(days=4)
"""How long a mail is tried (RFC 5321, 4.5.4.1: four to five days at least)."""

_SHORTEST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)


@task
def send(*, mail_id: UUID) -> None:
    """Hand a mail to the mail server, at least once, and nearly always exactly once.

    A mail that is sent is not sent again. Only between the server's yes and our commit of it is
    there a window: a worker that ends there, a lost answer, or one that takes longer than the lease
    makes it be sent again. It then has the same Message-ID, by which mail programs know it again.

    A server that is away or says "later" is asked again, after as long as the mail has waited so
    far, an hour at most, for four days. What it refuses for good is given up at once.
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
        # The second keeps answering machines quiet (RFC 3834).
        headers={"Message-ID": _message_id(mail_id), "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(words.html, "text/html")
    try:
        message.send()
    # A ValueError is about the mail: a line break in a header, an address that cannot be written.
    except (smtplib.SMTPException, OSError, ValueError) as error:
        _not_sent(mail, error)
    else:
        _finish(mail, sent_at=clock.now())


def _not_sent(mail: Mail, error: Exception) -> None:
    problem, now = _without_address(_said(error), mail.to), clock.now()
    if _for_good(error) or now - mail.at > PATIENCE:
        log.error("mail was given up", mail_id=str(mail.id), problem=problem)
        _finish(mail, problem=problem[:200])
        return
    log.warning("mail will be tried again", mail_id=str(mail.id), problem=problem)
    pause = min(max(now - mail.at, _SHORTEST_PAUSE), _LONGEST_PAUSE)
    with atomic():
        send.after(pause).enqueue(mail_id=mail.id)


def _finish(mail: Mail, *, sent_at: datetime | None = None, problem: str = "") -> None:
    """Note how it ended and forget whom it was for and what it told."""
    with atomic():
        Mail.objects.filter(pk=mail.id).update(sent_at=sent_at, problem=problem, to="", facts={})


def _for_good(error: Exception) -> bool:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= _FIRST_REFUSED_FOR_GOOD for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPDataError):
        return error.smtp_code >= _FIRST_REFUSED_FOR_GOOD
    return isinstance(error, ValueError)


def _said(error: Exception) -> str:
    replies: list[tuple[int, bytes | str]]
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        replies = list(error.recipients.values())
    elif isinstance(error, smtplib.SMTPResponseException):
        replies = [(error.smtp_code, error.smtp_error)]
    else:
        return f"{type(error).__name__}: {error}"
    texts = [
        said if isinstance(said, str) else said.decode(errors="replace") for _, said in replies
    ]
    codes = [code for code, _ in replies]
    told = "; ".join(f"{code} {text}" for code, text in zip(codes, texts, strict=True))
    return f"The mail server says: {told}"


def _without_address(text: str, address: str) -> str:
    """Servers like to repeat the address, which is not ours to keep."""
    return re.sub(re.escape(address), "the recipient", text, flags=re.IGNORECASE)


def _message_id(mail_id: UUID) -> str:
    domain = make_msgid(domain=settings.NOTIFICATIONS["MAIL_DOMAIN"]).rpartition("@")[2]
    return f"<{mail_id}@{domain}"
