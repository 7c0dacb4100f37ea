"""Goods, cards and an address for tests of the shop's modules."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from modules.catalog.interface import Catalog, ProductDraft
from modules.catalog.interface import Sku as CatalogSku
from modules.inventory.interface import Inventory, Line
from modules.inventory.interface import Sku as StockedSku
from modules.orders.interface import Address, BasketId, Orders
from modules.payments.fakes import FakePayments
from modules.payments.interface import Payment, Payments
from modules.pricing.interface import ListPrice, Pricing
from monolift import Money, use
from monolift.registry.proxies import binding_of
from tests.doubles import late
from tests.holds import taken_by_holds

if TYPE_CHECKING:
    from modules.payments.provider.sandbox import Charge

GOOD = "4242424242424242"
DECLINED = "4000000000000002"
NO_FUNDS = "4000000000009995"
ANSWER_LOST = "4000000000000119"

ADDRESS = Address(
    name="Ada Lovelace",
    street="12 St James's Square",
    city="London",
    postcode="SW1Y 4JH",
    country="GB",
    email="ada@example.org",
)


def shelve(sku: str = "MUG", *, price: str = "10.00", quantity: int = 10) -> None:
    """Put a product of one variant on sale: in EUR, USD, JPY and KWD, and in stock."""
    use(Catalog).publish_product(
        draft=ProductDraft(
            slug=sku.lower(),
            title=sku.title(),
            description=f"A {sku.lower()}.",
            image=f"products/{sku.lower()}.svg",
            variants=((CatalogSku(sku), "plain"),),
        )
    )
    euros = Money.of(price, "EUR")
    prices = [euros, *(Money(euros.amount, other) for other in ("USD", "JPY", "KWD"))]
    use(Pricing).set_prices(prices=[ListPrice(sku=sku, unit=unit) for unit in prices])
    if quantity:
        lines = [Line(sku=StockedSku(sku), quantity=quantity)]
        use(Inventory).receive(reference=uuid4(), lines=lines)


def card(number: str = GOOD) -> str:
    """A token of a test card."""
    return use(Payments).tokenise(number=number, expiry="12/40", cvc="123")


def basket_with(sku: str = "MUG", *, quantity: int = 1) -> BasketId:
    """A basket that is ready to be checked out."""
    basket_id = BasketId(uuid4())
    orders = use(Orders)
    orders.add_to_basket(basket_id=basket_id, sku=sku, quantity=quantity)
    orders.set_address(basket_id=basket_id, address=ADDRESS)
    return basket_id


def total_of(basket_id: BasketId) -> Money:
    """What the basket costs now."""
    return use(Orders).basket(basket_id=basket_id).total


def available(sku: str = "MUG") -> int:
    """How many can be bought."""
    return use(Inventory).available(skus=[StockedSku(sku)])[StockedSku(sku)]


def charges() -> list[tuple[str, int]]:
    """State and amount of every charge in the provider's books."""
    return [(str(charge.state), charge.amount.amount) for charge in books()]


def books() -> "Sequence[Charge | Payment]":
    """The provider's books, or those of the fake."""
    answering = binding_of(Payments).implementation
    if isinstance(answering, FakePayments):
        return answering.books()
    from modules.payments.provider.sandbox import SandboxProvider  # not there beside a fake

    return SandboxProvider().charges()


def assert_books_balance() -> None:
    """The ledger sums to zero, and stock is all where it should be."""
    balances: dict[str, int] = {}
    for line in use(Payments).ledger_balance():
        balances.setdefault(line.balance.currency, 0)
        balances[line.balance.currency] += line.balance.amount
    assert not any(balances.values()), balances
    taken = taken_by_holds()
    for count in use(Inventory).count():
        assert count.received == count.available + count.held + count.taken, count
        assert count.available >= 0, count
        if taken is not None:
            assert count.taken == taken[count.sku], count


def some_id() -> UUID:
    """An id nobody uses."""
    return uuid4()


@contextmanager
def left_under_way() -> Iterator[None]:
    """A checkout in it is begun, and answered before the card network is: that says nothing."""
    wait = 0.5  # enough to begin
    with pytest.MonkeyPatch.context() as patch, late(Payments, "authorise", after=wait + 0.1):
        patch.setattr("modules.orders.services.service.WAIT", wait)
        yield
