"""Sending that is difficult: servers that are away, and what must not get into a header."""

import socket
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.utils.html import escape
from pytest_django import Settings

from modules.notifications.models import Mail
from modules.notifications.services import wording
from modules.notifications.tasks import PATIENCE, send
from modules.orders.interface import Address, Order, OrderId, OrderLine, OrderState
from monolift import Money
from monolift.kernel import clock
from monolift.testing.scenario import Scenario
from tests.mailing import use_mail_server
from tests.modules.notifications.smtp import MailServer

pytestmark = pytest.mark.django_db(databases="__all__")
EVIL = "<img src=//evil.example onerror=alert(1)> & \"'"


def written(*, to: str = "stock@example.org", sku: str = "MUG") -> Mail:
    """A mail that is to be sent."""
    facts = {"sku": sku, "available": 2, "threshold": 3}
    kept = Mail.objects.create(kind=Mail.Kind.STOCK_LOW, to=to, facts=facts, at=clock.now())
    send.enqueue(mail_id=kept.id)
    return kept


def ended(kept: Mail) -> Mail:
    kept.refresh_from_db()
    assert (kept.to, kept.facts) == ("", {})
    return kept


# Servers ------------------------------------------------------------------------------------------


def test_a_server_that_is_away_for_hours_gets_it_then(
    scenario: Scenario, settings: Settings
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    use_mail_server(settings, port)
    kept = written()
    scenario.run_until_idle()
    for _ in range(12):
        scenario.travel(minutes=20)
    kept.refresh_from_db()
    assert (kept.sent_at, kept.problem, kept.to) == (None, "", "stock@example.org")
    with MailServer() as server:
        use_mail_server(settings, server.port)
        scenario.travel(hours=1, minutes=1)
    assert [str(one["Subject"]) for one in server.taken] == ["Low stock: MUG"]
    assert ended(kept).sent_at is not None
    assert scenario.failed_deliveries() == []


def test_after_days_a_mail_is_given_up(scenario: Scenario, server: MailServer) -> None:
    server.answers = [b"451 <STOCK@example.org> is busy\r\n"] * 9
    kept = written()
    scenario.run_until_idle()
    clock.travel(PATIENCE)
    scenario.run_until_idle()
    assert ended(kept).problem == "The mail server says: 451 <the recipient> is busy"
    tried = len(server.answers)
    scenario.travel(days=1)
    assert len(server.answers) == tried
    assert server.taken == []


def test_a_refusal_is_kept_without_the_address(scenario: Scenario, server: MailServer) -> None:
    server.answers = [b"550 5.1.1 <Stock@Example.org>: unknown here\r\n"]
    kept = written()
    scenario.run_until_idle()
    problem = ended(kept).problem
    assert problem == "The mail server says: 550 5.1.1 <the recipient>: unknown here"


def test_a_task_that_is_repeated_sends_nothing_more(scenario: Scenario) -> None:
    kept = written()
    scenario.run_until_idle()
    send.enqueue(mail_id=kept.id)
    scenario.run_until_idle()
    assert len(mail.outbox) == 1


# Headers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [{"sku": "MUG\r\nBcc: evil@example.org"}, {"to": "a@example.org\nBcc: evil@example.org"}],
    ids=["in the subject", "in the address"],
)
def test_no_line_break_gets_into_a_header(
    scenario: Scenario, server: MailServer, given: dict[str, Any]
) -> None:
    kept = written(**given)
    scenario.run_until_idle()
    assert server.taken == []
    assert ended(kept).sent_at is None
    assert kept.problem


def test_mail_says_that_a_program_wrote_it(scenario: Scenario, server: MailServer) -> None:
    kept = written()
    scenario.run_until_idle()
    (taken,) = server.taken
    assert taken["Auto-Submitted"] == "auto-generated"
    assert taken["Message-ID"].startswith(f"<{kept.id}@")
    assert taken.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in taken.iter_parts()] == ["text/plain", "text/html"]


# Words --------------------------------------------------------------------------------------------


def order(text: str) -> Order:
    """An order where everything that somebody wrote is `text`."""
    euros = Money.of("12.00", "EUR")
    return Order(
        id=OrderId(uuid4()),
        state=OrderState.PAID,
        lines=(OrderLine(sku=text, title=text, quantity=1, unit=euros, total=euros),),
        address=Address(
            name=text, street=text, city=text, postcode=text, country="GB", email="a@example.org"
        ),
        total=euros,
        placed_at=clock.now(),
        number="2026-1",
        net=Money.of("11.00", "EUR"),
        discount=Money.of("1.00", "EUR"),
        shipping=Money.of("0.50", "EUR"),
        tax=Money.of("1.50", "EUR"),
        coupon=text,
    )


@pytest.mark.parametrize("kind", Mail.Kind.values)
def test_text_is_as_it_was_written_and_html_is_escaped(kind: str) -> None:
    facts = {"tracking": EVIL, "reason": EVIL, "amount": [100, "EUR"], "sku": EVIL}
    words = wording.of(Mail(kind=kind, facts=facts), order(EVIL))
    assert "<img" not in words.html
    assert (escape(EVIL) in words.html) == (EVIL in words.text)
    assert "&lt;" not in words.text
    assert "\n\n\n" not in words.text
    assert words.text.splitlines() == [line.rstrip() for line in words.text.splitlines()]


def test_every_part_of_the_total_is_told() -> None:
    words = wording.of(Mail(kind=Mail.Kind.PAID), order("SPRING"))
    assert (
        "Goods: 11.00 EUR\nDiscount (SPRING): -1.00 EUR\nDelivery: 0.50 EUR\nTax: 1.50 EUR\n"
        "Total: 12.00 EUR\n"
    ) in words.text
    for part in ("11.00 EUR", "1.00 EUR", "Discount (SPRING)", "0.50 EUR", "1.50 EUR"):
        assert part in words.html
