"""Stock in the back office: found, adjusted and watched, by those who may."""

import re
from uuid import UUID, uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from modules.inventory.interface import Adjustment, AdjustmentReason, Inventory, Line, Sku
from monolift import use
from monolift.testing.statements import statements

pytestmark = pytest.mark.django_db(databases="__all__")
inventory = use(Inventory)
LIST = "/admin/inventory/stock/"


def staff(*permissions: str) -> Client:
    user = get_user_model().objects.create_user(
        email=f"{uuid4()}@example.org", password="long enough 4 that", is_staff=True
    )
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="inventory", codename__in=permissions)
    )
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def clerk() -> Client:
    """Somebody who may write, and ten each of two SKUs; one of them is low."""
    skus = (Sku("MUG"), Sku("TIN_2F/2"))
    inventory.receive(reference=uuid4(), lines=[Line(sku=sku, quantity=10) for sku in skus])
    inventory.set_threshold(sku=Sku("TIN_2F/2"), threshold=10)
    return staff("view_stock", "change_stock", "view_adjustment", "view_hold")


def reserve(sku: str, quantity: int) -> UUID:
    lines = [Line(sku=Sku(sku), quantity=quantity)]
    return inventory.reserve(reference=uuid4(), lines=lines).reference


def page(sku: str) -> str:
    return f"{LIST}{sku.replace('_', '_5F').replace('/', '_2F')}/"


def form_id(client: Client, sku: str) -> str:
    text = client.get(f"{page(sku)}change/").content.decode()
    found = re.search(r'name="form" value="([^"]+)"', text)
    assert found
    return found[1]


def post(client: Client, sku: str, what: str, form: dict[str, object]) -> str:
    """Send a form of a SKU's page; the page that it leads to."""
    response = client.post(f"{page(sku)}{what}/", form, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def adjusted(sku: str) -> tuple[Adjustment, ...]:
    return inventory.adjustments(sku=Sku(sku)).adjustments


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, {"MUG", "TIN_2F/2"}),
        ({"q": "mu"}, {"MUG"}),
        ({"q": "%"}, set()),
        ({"q": "ü" * 500}, set()),
        ({"stock": "low"}, {"TIN_2F/2"}),
        ({"stock": "held"}, {"MUG"}),
        ({"stock": "available"}, {"TIN_2F/2"}),
        ({"stock": "high"}, {"MUG", "TIN_2F/2"}),
    ],
)
def test_stock_is_found(clerk: Client, query: dict[str, str], found: set[str]) -> None:
    reserve("MUG", 10)
    response = clerk.get(LIST, query)
    assert response.status_code == 200
    shown = re.findall(r'<th class="field-sku"><a [^>]*>([^<]+)</a>', response.content.decode())
    assert set(shown) == found


def test_what_is_held_is_shown(clerk: Client) -> None:
    reserve("MUG", 3)
    reserve("MUG", 1)
    inventory.take(reference=reserve("MUG", 2))
    text = clerk.get(LIST).content.decode()
    assert re.findall(r'<td class="field-held">([^<]*)</td>', text) == ["4", "0"]
    text = clerk.get(f"{page('MUG')}change/").content.decode()
    assert re.search(r'field-held".*?<div class="readonly">4</div>', text, re.DOTALL)


def test_a_list_takes_as_many_statements_for_more_rows(clerk: Client) -> None:
    reserve("MUG", 1)
    clerk.get(LIST)
    with statements() as few:
        clerk.get(LIST)
    for number in range(4):
        lines = [Line(sku=Sku(f"NEW{number}"), quantity=5)]
        inventory.receive(reference=uuid4(), lines=lines)
        inventory.reserve(reference=uuid4(), lines=lines)
    with statements() as many:
        clerk.get(LIST)
    assert len(few) == len(many)


@pytest.mark.parametrize("query", ["none", "%", "MUG", "4fd1e7c2-7a5c-4f0e-9d5f-0f3a2b6c8d10"])
def test_holds_are_found_by_their_reference(clerk: Client, query: str) -> None:
    reference = reserve("MUG", 2)
    reserve("MUG", 1)
    listed = "/admin/inventory/hold/"
    assert "2 x MUG" in clerk.get(listed, {"q": f" {reference} "}).content.decode()
    assert "1 hold\n" in clerk.get(listed, {"q": str(reference)}).content.decode()
    assert "0 holds\n" in clerk.get(listed, {"q": query}).content.decode()


@pytest.mark.together
@pytest.mark.parametrize("what", ["change", "history", "delete"])
def test_a_sku_that_cannot_be_is_not_found(clerk: Client, what: str) -> None:
    answer = clerk.get(f"{LIST}M%00G/{what}/", follow=True)
    assert answer.status_code in (200, 403, 404)


@pytest.mark.parametrize("what", ["adjust", "threshold"])
def test_a_sku_that_cannot_be_is_not_written(clerk: Client, what: str) -> None:
    answer = clerk.post(f"{LIST}M%00G/{what}/", {"by": "1"}, follow=True)
    assert answer.status_code == 200
    assert "never any stock" in answer.content.decode()


@pytest.mark.parametrize("sku", ["MUG", "TIN_2F/2"])
def test_stock_is_adjusted_once_and_by_somebody(clerk: Client, sku: str) -> None:
    form = {"by": "-2", "reason": "damaged", "form": form_id(clerk, sku)}
    for _ in range(2):  # a double click
        text = post(clerk, sku, "adjust", form)
    [entry] = adjusted(sku)
    assert (entry.by, entry.available, entry.reason) == (-2, 8, AdjustmentReason.DAMAGED)
    log = LogEntry.objects.get()
    assert (log.object_id, log.user.email) == (sku, entry.who)
    assert "-2 to 8: damaged" in log.change_message
    for expected in ("<td>-2</td><td>8</td><td>damaged</td>", entry.who):
        assert expected in text


@pytest.mark.parametrize(
    ("by", "reason", "said"),
    [
        ("0", "counted", "cannot be adjusted by 0"),
        ("-11", "lost", "Only 10 of MUG are left"),
        ("99999999999999999999", "counted", "less than or equal to"),
        ("x", "counted", "whole number"),
        ("", "counted", "required"),
        ("1", "stolen", "stolen"),
    ],
)
def test_an_adjustment_that_makes_no_sense_is_refused(
    clerk: Client, by: str, reason: str, said: str
) -> None:
    text = post(clerk, "MUG", "adjust", {"by": by, "reason": reason, "form": form_id(clerk, "MUG")})
    assert said in text
    assert adjusted("MUG") == ()
    assert not LogEntry.objects.exists()


def test_a_form_of_another_adjustment_is_refused(clerk: Client) -> None:
    form = {"by": "1", "reason": "returned", "form": form_id(clerk, "MUG")}
    post(clerk, "MUG", "adjust", form)
    assert "was for another adjustment" in post(clerk, "MUG", "adjust", {**form, "by": "2"})
    assert [entry.by for entry in adjusted("MUG")] == [1]


@pytest.mark.parametrize(("threshold", "kept"), [("4", 4), ("0", 0), ("", None)])
def test_a_threshold_is_set_and_logged(clerk: Client, threshold: str, kept: int | None) -> None:
    post(clerk, "TIN_2F/2", "threshold", {"threshold": threshold})
    assert inventory.stock(text="TIN").levels[0].threshold == kept
    assert "Threshold" in LogEntry.objects.get().change_message


@pytest.mark.parametrize(
    ("threshold", "said"), [("-1", "greater"), ("1000001", "less than"), ("x", "whole number")]
)
def test_a_threshold_that_makes_no_sense_is_refused(
    clerk: Client, threshold: str, said: str
) -> None:
    assert said in post(clerk, "TIN_2F/2", "threshold", {"threshold": threshold})
    assert inventory.stock(text="TIN").levels[0].threshold == 10
    assert not LogEntry.objects.exists()


@pytest.mark.together
@pytest.mark.parametrize("what", ["adjust", "threshold"])
def test_who_may_only_look_can_only_look(clerk: Client, what: str) -> None:
    reader = staff("view_stock")
    text = reader.get(f"{page('MUG')}change/").content.decode()
    assert "adjustments" in text.lower()
    assert 'name="form"' not in text
    assert 'name="threshold"' not in text
    form = {"by": "1", "reason": "counted", "form": str(uuid4()), "threshold": "1"}
    assert reader.post(f"{page('MUG')}{what}/", form).status_code == 403
    assert Client().post(f"{page('MUG')}{what}/", form).status_code == 302
    assert adjusted("MUG") == ()
    assert inventory.stock(text="MUG").levels[0].threshold is None


@pytest.mark.parametrize("what", ["adjust", "threshold"])
def test_acts_are_posted_and_name_a_sku(clerk: Client, what: str) -> None:
    assert clerk.get(f"{page('MUG')}{what}/").status_code == 405
    assert "never any stock" in post(clerk, "NONE", what, {"by": "1"})


@pytest.mark.together
@pytest.mark.parametrize("way", ["add", "MUG/delete", "MUG/change"])
def test_rows_are_not_written_past_the_interface(clerk: Client, way: str) -> None:
    response = clerk.post(f"{LIST}{way}/", {"sku": "MUG", "available": "99", "received": "99"})
    assert response.status_code == 403
    assert inventory.available(skus=[Sku("MUG")]) == {"MUG": 10}


def test_the_audit_trail_is_searched(clerk: Client) -> None:
    form = {"by": "3", "reason": "counted", "form": form_id(clerk, "MUG")}
    post(clerk, "MUG", "adjust", form)
    trail = "/admin/inventory/adjustment/"
    assert "counted" in clerk.get(trail, {"q": "MUG"}).content.decode()
    assert "1 adjustment" in clerk.get(trail, {"q": adjusted("MUG")[0].who}).content.decode()
    assert "0 adjustments" in clerk.get(trail, {"q": "TIN"}).content.decode()
    assert clerk.get("/admin/inventory/hold/").status_code == 200
