"""Rates, and parcels that the carrier gets once."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db import connections
from django.test import Client
from pytest_django import Settings

from modules.pricing.interface import Pricing
from modules.profiles.interface import Profiles
from modules.shipping import models
from modules.shipping.interface import (
    AlreadyShipped,
    NoSuchMethod,
    NotOnItsWay,
    ParcelLine,
    Recipient,
    ShipmentNotFound,
    ShipmentState,
    Shipping,
)
from modules.shipping.provider import sandbox
from monolift import Money, Unavailable, use
from monolift.registry.sql import fetch
from monolift.registry.topology import topology
from monolift.testing import announcing
from monolift.testing.scenario import Scenario
from monolift.testing.statements import statements

pytestmark = pytest.mark.django_db(databases="__all__")
both = pytest.mark.topologies("local", "loopback", fake=Shipping)
shipping = use(Shipping)
ADA = Recipient(
    name="Ada", street="12 St James's Square", city="London", postcode="1", country="GB"
)


def booked(customer_id: UUID | None = None) -> UUID:
    order_id = uuid4()
    shipping.book(
        order_id=order_id,
        method="express",
        recipient=ADA,
        parcel=[ParcelLine(sku="MUG", title="Mug", quantity=2)],
        customer_id=customer_id,
    )
    return order_id


def announced() -> list[str]:
    rows = fetch(
        topology().alias("shipping"),
        "SELECT name FROM monolift_outbox WHERE module = 'shipping' ORDER BY number",
    )
    return [name for (name,) in rows] + [one.event_name for one in announcing.announced]


class Books(sandbox.SandboxCarrier):
    """A carrier that can be asked what it was given, and that can fail."""

    handed: list[UUID] = []
    recalled: list[UUID] = []
    lost_answers = 0
    lost_recalls = 0

    def hand_over(
        self, *, order_id: UUID, method: str, recipient: Mapping[str, Any], parcel: Sequence[Any]
    ) -> str:
        """Note it; lose the answer if told to."""
        self.handed.append(order_id)
        if Books.lost_answers:
            Books.lost_answers -= 1
            raise Unavailable("carrier", "no answer")
        return super().hand_over(
            order_id=order_id, method=method, recipient=recipient, parcel=parcel
        )

    def recall(self, *, order_id: UUID) -> None:
        """Note it; lose the answer if told to."""
        self.recalled.append(order_id)
        if Books.lost_recalls:
            Books.lost_recalls -= 1
            raise Unavailable("carrier", "no answer")


@pytest.fixture
def books(settings: Settings) -> type[Books]:
    settings.SHIPPING = {**settings.SHIPPING, "CARRIER": f"{__name__}.Books"}
    Books.handed, Books.recalled, Books.lost_answers, Books.lost_recalls = [], [], 0, 0
    return Books


# Rates --------------------------------------------------------------------------------------------


@pytest.mark.together
@both
@pytest.mark.parametrize("currency", ["EUR", "USD", "JPY", "KWD"])
def test_wherever_we_tax_we_deliver(currency: str) -> None:
    for country in use(Pricing).destinations():
        rates = shipping.rates(country=country, currency=currency)
        assert [rate.method for rate in rates] == ["standard", "express"]
        assert [rate.price.currency for rate in rates] == [currency] * 2
        assert rates[0].price == Money.zero(currency) < rates[1].price
        assert rates[0].days > rates[1].days


def test_a_rate_takes_no_statement() -> None:
    with statements() as seen:
        assert shipping.rate(country="DE", currency="EUR", method="express").price.amount == 900
    assert seen == []


@pytest.mark.parametrize(
    ("country", "currency", "method"),
    [("XX", "EUR", "standard"), ("DE", "CHF", "standard"), ("DE", "EUR", "owl"), ("", "", "")],
)
def test_what_we_do_not_offer_is_refused(country: str, currency: str, method: str) -> None:
    with pytest.raises(NoSuchMethod):
        shipping.rate(country=country, currency=currency, method=method)


# Shipments ----------------------------------------------------------------------------------------


def test_booking_takes_three_statements() -> None:
    with statements() as seen:
        booked()
    ours = [sql for sql in seen if "monolift_key" not in sql]
    assert len(ours) == 3, seen


@pytest.mark.topologies("local", "loopback")
def test_a_parcel_is_packed_then_handed_over(scenario: Scenario) -> None:
    order_id = booked()
    scenario.run_until_idle()
    assert shipping.shipment(order_id=order_id).state is ShipmentState.ORDERED
    scenario.travel(minutes=2)
    scenario.run_until_idle()
    shipment = shipping.shipment(order_id=order_id)
    assert shipment.state is ShipmentState.BOOKED
    assert shipment.tracking.startswith("SP")
    assert announced() == ["shipping.shipment_booked.v1"]
    shipping.mark_delivered(order_id=order_id)
    shipping.mark_delivered(order_id=order_id)
    assert announced() == ["shipping.shipment_booked.v1", "shipping.shipment_delivered.v1"]


def test_a_lost_answer_of_the_carrier_is_asked_for_again(
    scenario: Scenario, books: type[Books]
) -> None:
    order_id = booked()
    books.lost_answers = 2
    for _ in range(3):
        scenario.travel(minutes=11)
    assert books.handed == [order_id] * 3
    assert announced() == ["shipping.shipment_booked.v1"]


def test_a_carrier_that_is_away_gets_the_parcel_when_it_is_back(
    scenario: Scenario, books: type[Books]
) -> None:
    order_id = booked()
    books.lost_answers = 1000
    for _ in range(60):
        scenario.travel(minutes=1)
    assert 5 < len(books.handed) < 15, "asked at growing intervals"
    assert announced() == []
    books.lost_answers = 0
    scenario.travel(minutes=11)
    assert shipping.shipment(order_id=order_id).state is ShipmentState.BOOKED
    assert announced() == ["shipping.shipment_booked.v1"]
    assert scenario.failed_deliveries() == []


def test_booking_twice_ships_once(scenario: Scenario, books: type[Books]) -> None:
    order_id = uuid4()
    for _ in range(2):
        shipping.book(order_id=order_id, method="standard", recipient=ADA, parcel=[])
    scenario.travel(minutes=2)
    scenario.run_until_idle()
    assert books.handed == [order_id]
    assert announced() == ["shipping.shipment_booked.v1"]


@pytest.mark.inside
@both
def test_what_is_not_packed_yet_can_be_cancelled(scenario: Scenario, books: type[Books]) -> None:
    order_id = booked()
    shipping.cancel(order_id=order_id)
    shipping.cancel(order_id=order_id)
    scenario.travel(minutes=2)
    scenario.run_until_idle()
    assert books.handed == []
    assert announced() == ["shipping.shipment_cancelled.v1"]
    with pytest.raises(NotOnItsWay, match="cancelled"):
        shipping.mark_delivered(order_id=order_id)


@pytest.mark.inside
@both
def test_a_cancellation_also_stops_what_is_booked_later(
    scenario: Scenario, books: type[Books]
) -> None:
    order_id = uuid4()
    shipping.cancel(order_id=order_id)
    for _ in range(2):
        late = shipping.book(order_id=order_id, method="express", recipient=ADA, parcel=[])
        assert late == shipping.shipment(order_id=order_id)
        assert late.state is ShipmentState.CANCELLED
        shipping.cancel(order_id=order_id)
    scenario.travel(minutes=2)
    assert (books.handed, books.recalled) == ([], [])
    assert announced() == ["shipping.shipment_cancelled.v1"]


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_booked_and_cancelled_at_once_it_stays_here(scenario: Scenario, books: type[Books]) -> None:
    def cancel(order_id: UUID, together: threading.Barrier) -> None:
        try:
            together.wait(10)
            shipping.cancel(order_id=order_id)
        finally:
            connections.close_all()

    for _ in range(10):
        order_id, together = uuid4(), threading.Barrier(2)
        with ThreadPoolExecutor(1) as pool:
            cancelled = pool.submit(cancel, order_id, together)
            together.wait(10)
            shipping.book(order_id=order_id, method="express", recipient=ADA, parcel=[])
            cancelled.result()
        assert shipping.shipment(order_id=order_id).state is ShipmentState.CANCELLED
    scenario.travel(minutes=2)
    assert books.handed == []
    assert announced() == ["shipping.shipment_cancelled.v1"] * 10


def test_what_was_cancelled_before_it_was_booked_can_be_looked_at(client: Client) -> None:
    order_id = uuid4()
    shipping.cancel(order_id=order_id)
    boss = get_user_model().objects.create_superuser("boss@example.org", "long enough 4 that")
    client.force_login(boss)
    shown = client.get("/admin/shipping/shipment/").content.decode()
    assert str(order_id) in shown
    assert '<a href="?method=">-</a>' in "".join(line.strip() for line in shown.splitlines())


def test_what_the_carrier_has_cannot_be_cancelled(scenario: Scenario) -> None:
    order_id = booked()
    scenario.travel(minutes=2)
    scenario.run_until_idle()
    with pytest.raises(AlreadyShipped):
        shipping.cancel(order_id=order_id)


class TakesItsTime(Books):
    """A carrier during whose work the order is cancelled."""

    def hand_over(
        self, *, order_id: UUID, method: str, recipient: Mapping[str, Any], parcel: Sequence[Any]
    ) -> str:
        """Cancel meanwhile."""
        tracking = super().hand_over(
            order_id=order_id, method=method, recipient=recipient, parcel=parcel
        )
        use(Shipping).cancel(order_id=order_id)
        return tracking


def test_a_parcel_cancelled_meanwhile_is_recalled(
    scenario: Scenario, books: type[Books], settings: Settings
) -> None:
    settings.SHIPPING = {**settings.SHIPPING, "CARRIER": f"{__name__}.TakesItsTime"}
    order_id = booked()
    scenario.travel(minutes=2)
    scenario.run_until_idle()
    assert (books.handed, books.recalled) == ([order_id], [order_id])
    assert announced() == ["shipping.shipment_cancelled.v1"]


@pytest.mark.parametrize("lost_recalls", [0, 20])
def test_a_parcel_whose_answer_was_lost_is_recalled_once_cancelled(
    scenario: Scenario, books: type[Books], lost_recalls: int
) -> None:
    order_id = booked()
    books.lost_answers, books.lost_recalls = 1, lost_recalls
    scenario.travel(minutes=2)
    assert (books.handed, books.recalled) == ([order_id], [])
    shipping.cancel(order_id=order_id)
    for _ in range(30):
        scenario.travel(minutes=11)
    assert books.handed == [order_id]
    assert books.recalled == [order_id] * (lost_recalls + 1)
    assert announced() == ["shipping.shipment_cancelled.v1"]
    assert scenario.failed_deliveries() == []


def test_nothing_to_cancel_is_harmless_and_nothing_to_deliver_is_not() -> None:
    shipping.cancel(order_id=uuid4())
    with pytest.raises(ShipmentNotFound):
        shipping.mark_delivered(order_id=uuid4())
    with pytest.raises(ShipmentNotFound):
        shipping.shipment(order_id=uuid4())


# Erasure ------------------------------------------------------------------------------------------


def recipients(*order_ids: UUID) -> list[Any]:
    rows = dict(models.Shipment.objects.values_list("pk", "recipient"))
    return [rows[order_id].get("name") for order_id in order_ids]


@pytest.mark.inside
def test_who_is_forgotten_is_no_recipient_any_more(scenario: Scenario) -> None:
    ada, other = uuid4(), uuid4()
    cancelled, delivered, on_its_way = booked(ada), booked(ada), booked(ada)
    others, nobodys = booked(other), booked()
    shipping.cancel(order_id=cancelled)
    scenario.travel(minutes=2)
    shipping.mark_delivered(order_id=delivered)
    use(Profiles).forget(user_id=ada)
    scenario.run_until_idle()
    assert recipients(cancelled, delivered, on_its_way) == [None, None, None]
    assert recipients(others, nobodys) == ["Ada", "Ada"]
    assert models.Shipment.objects.filter(customer_id=ada).count() == 0


@pytest.mark.inside
def test_a_parcel_finds_its_way_to_who_is_forgotten_meanwhile(
    scenario: Scenario, books: type[Books]
) -> None:
    ada = uuid4()
    waits = booked(ada)
    use(Profiles).forget(user_id=ada)
    scenario.run_until_idle()
    late = booked(ada)
    assert recipients(waits, late) == ["Ada", "Ada"]
    scenario.travel(minutes=2)
    assert sorted(books.handed) == sorted([waits, late])
    scenario.travel(days=1)
    assert recipients(waits, late) == [None, None]
    assert scenario.failed_deliveries() == []


@pytest.mark.inside
def test_what_waits_for_the_carrier_waits_to_be_forgotten(
    scenario: Scenario, settings: Settings
) -> None:
    settings.SHIPPING = {**settings.SHIPPING, "HAND_OVER_AFTER": 60 * 3600}
    ada = uuid4()
    waits = booked(ada)
    use(Profiles).forget(user_id=ada)
    for _ in range(2):
        scenario.travel(hours=25)
        assert recipients(waits) == ["Ada"]
    for _ in range(2):
        scenario.travel(hours=25)
    assert recipients(waits) == [None]


# REST ---------------------------------------------------------------------------------------------


def test_rates_over_rest(client: Client) -> None:
    answer = client.get("/api/v1/shipping/rates", {"country": "GB", "currency": "JPY"})
    assert [rate["price"]["amount"] for rate in answer.json()] == [0, 2310]


@pytest.mark.parametrize(
    "query",
    [{}, {"country": "gb"}, {"country": "GB", "currency": "XXX"}, {"country": "G\x00"}],
    ids=["nothing", "lower case", "a currency we have not", "a control character"],
)
def test_bad_input_over_rest(client: Client, query: dict[str, str]) -> None:
    answer = client.get("/api/v1/shipping/rates", query)
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"


def test_a_shipment_over_rest(client: Client) -> None:
    order_id = booked()
    assert client.get(f"/api/v1/shipping/shipments/{order_id}").json()["state"] == "ordered"
    assert client.get(f"/api/v1/shipping/shipments/{uuid4()}").status_code == 404
