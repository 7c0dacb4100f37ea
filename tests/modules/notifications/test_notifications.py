"""Mail about orders: what it says, that it comes once, and that it comes at all."""

from uuid import UUID, uuid4

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from pytest_django import Settings

from config.identity.models import User
from modules.inventory.interface import Inventory, Line, Sku
from modules.notifications import models
from modules.notifications.handlers import FORGOTTEN
from modules.notifications.interface import MailKind, Notifications
from modules.notifications.tasks import send
from modules.orders.interface import Address, Order, Orders, PaymentRefused
from modules.profiles.interface import Profiles
from monolift import Money, use
from monolift.registry.sql import execute
from monolift.registry.topology import topology
from monolift.testing.scenario import Scenario
from tests.modules.notifications.smtp import REFUSED_FOR_GOOD, REFUSED_FOR_NOW, MailServer
from tests.shop import ADDRESS, DECLINED, basket_with, card, shelve, total_of

pytestmark = pytest.mark.django_db(databases="__all__")
orders = use(Orders)
notifications = use(Notifications)


def bought(address: Address = ADDRESS, *, customer_id: UUID | None = None) -> Order:
    shelve()
    basket_id = basket_with(quantity=2)
    orders.set_address(basket_id=basket_id, address=address)
    return orders.check_out(
        basket_id=basket_id,
        expected_total=total_of(basket_id),
        card_token=card(),
        customer_id=customer_id,
    )


def kinds(order_id: UUID) -> list[MailKind]:
    return [one.kind for one in notifications.mails(order_id=order_id)]


def html_of(message: object) -> str:
    assert isinstance(message, EmailMultiAlternatives)
    return str(message.alternatives[0][0])


def until_nothing_is_repeated(scenario: Scenario) -> None:
    """Let the first pauses between attempts pass."""
    for _ in range(5):
        scenario.travel(seconds=5)


# What they say ------------------------------------------------------------------------------------


@pytest.mark.topologies("local", "loopback")
def test_a_paid_order_is_confirmed(scenario: Scenario) -> None:
    order = bought()
    assert not mail.outbox
    scenario.run_until_idle()
    (message,) = mail.outbox
    assert message.to == [ADDRESS.email]
    assert message.subject == f"Your order {order.number}"
    for words in (str(message.body), html_of(message)):
        assert "Mug, plain" in words
        assert "24.00 EUR" in words
        assert f"/orders/{order.id}" in words
        assert all(part in words for part in ("20.00 EUR", "free", "4.00 EUR")), words
    assert "2 x Mug, plain: 24.00 EUR with tax\n" in message.body
    assert "Goods: 20.00 EUR\nDelivery: free\nTax: 4.00 EUR\nTotal: 24.00 EUR\n" in message.body
    assert "12 St James's Square" in message.body


@pytest.mark.together
def test_a_parcel_is_announced_with_its_number(scenario: Scenario) -> None:
    order = bought()
    scenario.run_until_idle()
    scenario.travel(minutes=2)
    tracking = orders.order(order_id=order.id).tracking
    assert kinds(order.id) == [MailKind.PAID, MailKind.SHIPPED]
    assert mail.outbox[1].subject == f"Your order {order.number} is on its way"
    assert tracking in mail.outbox[1].body
    assert tracking in html_of(mail.outbox[1])


def test_a_cancelled_order_says_what_goes_back(scenario: Scenario) -> None:
    order = bought()
    orders.cancel(order_id=order.id, reason="found it cheaper")
    scenario.run_until_idle()
    assert MailKind.CANCELLED in kinds(order.id)
    words = next(str(one.body) for one in mail.outbox if "cancelled" in one.subject)
    assert "found it cheaper" in words
    assert "24.00 EUR goes back to your card." in words


def test_each_refund_is_a_mail(scenario: Scenario) -> None:
    order = bought()
    for amount in ("1.00", "2.50"):
        orders.refund(
            order_id=order.id,
            refund_reference=uuid4(),
            amount=Money.of(amount, "EUR"),
            reason="a scratch",
        )
    scenario.run_until_idle()
    said = [str(one.body) for one in mail.outbox if "Money back" in one.subject]
    assert [words.split(" of ")[0] for words in said] == ["1.00 EUR", "2.50 EUR"]


def test_an_order_that_was_never_paid_is_no_news(scenario: Scenario) -> None:
    shelve()
    basket_id = basket_with()
    with pytest.raises(PaymentRefused):
        orders.check_out(
            basket_id=basket_id, expected_total=total_of(basket_id), card_token=card(DECLINED)
        )
    scenario.run_until_idle()
    assert not mail.outbox


@pytest.mark.parametrize("to", ["", "stock@example.org"])
def test_low_stock_is_told_to_who_wants_to_know(
    settings: Settings, scenario: Scenario, to: str
) -> None:
    settings.NOTIFICATIONS = {**settings.NOTIFICATIONS, "STOCK_TO": to}
    shelve(quantity=10)
    use(Inventory).set_threshold(sku=Sku("MUG"), threshold=3)
    use(Inventory).reserve(reference=uuid4(), lines=[Line(sku=Sku("MUG"), quantity=8)])
    scenario.run_until_idle()
    assert [one.to for one in mail.outbox] == ([[to]] if to else [])
    assert [one.subject for one in mail.outbox] == (["Low stock: MUG"] if to else [])


@pytest.mark.parametrize("name", ["Ὀδυσσεύς", "<b>Bob</b>", "{{ order }}", "田中 太郎", "🙂"])
def test_any_name_is_written_as_it_is(scenario: Scenario, name: str) -> None:
    fields = {field: getattr(ADDRESS, field) for field in ADDRESS.__struct_fields__}
    bought(Address(**{**fields, "name": name}))
    scenario.run_until_idle()
    (message,) = mail.outbox
    assert name in message.body
    assert "<b>Bob" not in html_of(message)


# That they come -----------------------------------------------------------------------------------


def test_a_mail_is_sent_once_and_its_address_forgotten(
    scenario: Scenario, server: MailServer
) -> None:
    order = bought()
    scenario.run_until_idle()
    (kept,) = models.Mail.objects.all()
    assert kept.to == ""
    assert kept.sent_at is not None
    send.function(mail_id=kept.id)
    assert len(server.taken) == 1
    assert kinds(order.id) == [MailKind.PAID]
    assert notifications.mails(order_id=order.id)[0].sent_at == kept.sent_at


@pytest.mark.together
def test_an_event_that_is_relayed_twice_is_one_mail(scenario: Scenario) -> None:
    order = bought()
    scenario.run_until_idle()
    alias = topology().alias("orders")
    assert execute(alias, "UPDATE monolift_outbox SET relayed_at = NULL WHERE module = 'orders'")
    scenario.run_until_idle()
    assert len(mail.outbox) == 1
    assert kinds(order.id) == [MailKind.PAID]


def test_a_server_that_is_away_gets_it_later(scenario: Scenario, server: MailServer) -> None:
    server.answers = [REFUSED_FOR_NOW] * 2
    order = bought()
    scenario.run_until_idle()
    until_nothing_is_repeated(scenario)
    assert [str(one["To"]) for one in server.taken] == [ADDRESS.email]
    assert notifications.mails(order_id=order.id)[0].sent_at is not None


def test_a_lost_answer_repeats_it_under_the_same_name(
    scenario: Scenario, server: MailServer
) -> None:
    server.silent_after_data = 1
    bought()
    scenario.run_until_idle()
    until_nothing_is_repeated(scenario)
    assert len(server.taken) == 2
    assert len({one["Message-ID"] for one in server.taken}) == 1


def test_what_is_refused_for_good_is_given_up_and_seen(
    scenario: Scenario, server: MailServer
) -> None:
    server.answers = [REFUSED_FOR_GOOD]
    order = bought()
    scenario.run_until_idle()
    until_nothing_is_repeated(scenario)
    assert server.taken == []
    (one,) = notifications.mails(order_id=order.id)
    assert "no such mailbox" in one.problem
    assert scenario.failed_deliveries() == []


@pytest.mark.together
def test_who_is_forgotten_gets_no_mail_and_is_in_none(
    scenario: Scenario, server: MailServer
) -> None:
    forgotten, other = uuid4(), uuid4()
    server.answers = [REFUSED_FOR_NOW] * 100  # however often a slow machine asks
    orders_of = [bought(customer_id=one) for one in (forgotten, other, forgotten)]
    scenario.run_until_idle()
    assert models.Mail.objects.filter(customer_id=forgotten, to=ADDRESS.email).exists()
    use(Profiles).forget(user_id=forgotten)
    scenario.run_until_idle()  # a mail that is due before this is told may still go out
    server.answers = []
    until_nothing_is_repeated(scenario)
    rows = {row.order_id: row for row in models.Mail.objects.all()}
    assert {row.to for row in rows.values()} == {""}
    assert [rows[one.id].customer_id for one in orders_of] == [None, other, None]
    for one in (orders_of[0], orders_of[2]):
        assert rows[one.id].problem == FORGOTTEN
        assert rows[one.id].sent_at is None
    assert rows[orders_of[1].id].sent_at is not None
    assert len(server.taken) == 1


def test_the_back_office_looks_at_mails(scenario: Scenario) -> None:
    bought()
    scenario.run_until_idle()
    office = Client()
    office.force_login(User.objects.create_superuser("root@example.org", "x"))
    assert office.get("/admin/notifications/mail/").status_code == 200
    kept = models.Mail.objects.get()
    assert office.get(f"/admin/notifications/mail/{kept.id}/change/").status_code == 200
