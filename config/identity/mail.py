"""Mail about accounts: a few plain sentences with a link."""

import smtplib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse

from monolift.observe.logs import logger

log = logger("config.identity")


class MailNotSent(Exception):
    """The mail server did not take it."""


def send(template: str, *, to: str, subject: str, context: dict[str, Any]) -> None:
    """Send `identity/mail/<template>.txt`. Raises MailNotSent."""
    body = render_to_string(f"identity/mail/{template}.txt", context)
    try:
        EmailMessage(subject=subject, body=body, to=[to]).send()
    except (smtplib.SMTPException, OSError) as error:
        log.error("mail was not sent", template=template, exc_info=error)
        raise MailNotSent from error


def folder() -> Path | None:
    """Where mail is written instead of being sent; None where it is sent."""
    path = getattr(settings, "MAIL_FOLDER", None)
    return Path(path) if path else None


def account_exists(*, to: str, site: str) -> None:
    """Tell somebody who signs up again that they have an account."""
    links = {name: site + reverse(f"identity:{name}") for name in ("sign-in", "password-reset")}
    send(
        "account_exists",
        to=to,
        subject="You have an account already",
        context={"sign_in": links["sign-in"], "password_reset": links["password-reset"]},
    )


def confirm(*, to: str, link: str) -> None:
    """Let somebody show that an address is theirs."""
    send("confirm", to=to, subject="Confirm your email address", context={"link": link})


def reset(*, to: str, link: str) -> None:
    """Let somebody choose a new password."""
    send("reset", to=to, subject="Choose a new password", context={"link": link})


def no_account(*, to: str, site: str) -> None:
    """Tell somebody who wants a new password that there is no account."""
    link = site + reverse("identity:sign-up")
    send("no_account", to=to, subject="There is no account", context={"sign_up": link})
