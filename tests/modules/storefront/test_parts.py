"""What the pages are made of: each module is turned off, and the page does what is declared."""

from contextlib import ExitStack

import pytest
from structlog.testing import capture_logs

from config.identity.models import User
from modules.storefront import compositions as parts
from monolift import Composition
from monolift.gateway.parts import compositions
from monolift.kernel import operations_of
from monolift.registry.modules import modules
from monolift.testing.scenario import Scenario
from tests.doubles import silent
from tests.modules.storefront.shopper import Shopper
from tests.shop import shelve

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.together]

PAGES = {
    parts.HOME: ["/"],
    parts.LISTS: ["/products"],
    parts.PRODUCT: ["/products/mug"],
    parts.SEARCH: ["/search?q=mug", "/search?q=nothing-like-it"],
    parts.TYPING: ["/search/suggestions?q=m"],
    parts.BASKET: ["/basket"],
    parts.CHECKOUT: ["/checkout"],
}
WORLD = ("stock", "cards", "sales")
OTHERS = (
    *("catalog", "inventory", "notifications", "orders", "payments", "pricing", "profiles"),
    *("recommendations", "search", "shipping"),
)


def test_every_module_and_page_is_turned_off() -> None:
    assert set(PAGES) == set(compositions(module="storefront"))
    assert {*OTHERS, "storefront"} == {one for one in modules() if one not in WORLD}


def turned_off(label: str) -> ExitStack:
    """No operation of a module answers."""
    off = ExitStack()
    for interface in modules()[label].provides:
        off.enter_context(silent(interface, *operations_of(interface)))
    return off


@pytest.mark.parametrize("label", OTHERS)
@pytest.mark.parametrize("page", PAGES, ids=lambda one: one.name)
def test_a_page_without_a_module_is_as_declared(
    shopper: Shopper, scenario: Scenario, page: Composition, label: str
) -> None:
    shelve()
    scenario.run_until_idle()
    shopper.http.force_login(User.objects.create_user(email="ada@example.com"))
    shopper.add()
    with turned_off(label), capture_logs() as log:
        german = {"Accept-Language": "de-DE"}
        worst = max(shopper.get(path, headers=german).status_code for path in PAGES[page])
    touched = [one for one in page.parts if label in one.modules]
    needed = any(one.needed for one in touched)
    assert worst == (503 if needed else 200)
    missing = {one["part"] for one in log if one["event"] == "a part is missing"}
    assert missing <= {one.operation.name for one in touched if not one.needed}
    assert needed or missing or not touched, "declared, and not asked"
