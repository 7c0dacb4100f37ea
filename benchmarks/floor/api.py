"""The floor over REST: the five requests from a basket to its order."""

from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from ninja import NinjaAPI, Status
from ninja.errors import HttpError

from benchmarks.floor import models
from benchmarks.floor.plain_reads import router as plain_reads
from modules.orders.api import (
    AddIn,
    AddressIn,
    BasketCreated,
    BasketOut,
    CheckOutIn,
    DeliveryIn,
    OrderOut,
)
from modules.orders.queries.orders import number_of
from modules.payments.provider import provider
from monolift.kernel import Money

TAX_PERCENT = 20

# Without a documentation page, as the shop's is the only one in the routes.
api = NinjaAPI(title="The floor", version="1", urls_namespace="floor", docs_url=None)
api.add_router("/plain", plain_reads)


@api.post("/baskets", response={201: BasketCreated})
def create_basket(request: HttpRequest, body: list[AddIn]) -> Status[dict[str, UUID]]:
    """A basket of these lines."""
    basket = models.Basket(id=uuid4(), currency=body[0].currency)
    with transaction.atomic():
        basket.save(force_insert=True)
        models.BasketLine.objects.bulk_create(
            models.BasketLine(basket=basket, article_id=line.sku, quantity=line.quantity)
            for line in body
        )
    return Status(201, {"id": basket.id})


@api.get("/baskets/{basket_id}", response=BasketOut)
def basket(request: HttpRequest, basket_id: UUID) -> dict[str, Any]:
    """A basket with its prices."""
    found = models.Basket.objects.filter(pk=basket_id).first()
    if found is None:
        raise HttpError(404, "There is no such basket.")
    lines = [
        {
            "sku": line.article_id,
            "title": line.article.title,
            "name": "plain",
            "slug": line.article_id.lower(),
            "image": f"products/{line.article_id.lower()}.svg",
            "quantity": line.quantity,
            "unit": _money(line.article.price, found.currency),
            "total": _money(_with_tax(line.article.price * line.quantity, found), found.currency),
        }
        for line in found.lines.select_related("article").order_by("pk")
    ]
    net = sum(line["unit"]["amount"] * line["quantity"] for line in lines)
    total = sum(line["total"]["amount"] for line in lines)
    return {
        "id": found.id,
        "currency": found.currency,
        "lines": lines,
        "address": found.address,
        "delivery": found.delivery or None,
        "net": _money(net, found.currency),
        "discount": _money(0, found.currency),
        "coupon_discount": _money(0, found.currency),
        "shipping": _money(0, found.currency),
        "coupon": "",
        "coupon_problem": "",
        "tax": _money(total - net, found.currency),
        "total": _money(total, found.currency),
        "order_id": found.order_id,
    }


@api.put("/baskets/{basket_id}/address", response={204: None})
def set_address(request: HttpRequest, basket_id: UUID, body: AddressIn) -> Status[None]:
    """Say where to deliver to."""
    return _set(basket_id, address=body.model_dump())


@api.put("/baskets/{basket_id}/delivery", response={204: None})
def set_delivery(request: HttpRequest, basket_id: UUID, body: DeliveryIn) -> Status[None]:
    """Choose how to deliver."""
    return _set(basket_id, delivery=body.method)


@api.post("/baskets/{basket_id}/order", response={201: OrderOut})
def check_out(request: HttpRequest, basket_id: UUID, body: CheckOutIn) -> Status[dict[str, Any]]:
    """Order and pay the basket, in one transaction."""
    with transaction.atomic():
        basket = models.Basket.objects.select_for_update().filter(pk=basket_id).first()
        if basket is None or basket.order_id is not None or basket.address is None:
            raise HttpError(409, "This basket cannot be ordered.")
        wanted = list(basket.lines.order_by("pk"))
        articles = models.Article.objects.in_bulk([line.article_id for line in wanted])
        lines = [
            models.OrderLine(
                position=position,
                sku=line.article_id,
                title=articles[line.article_id].title,
                quantity=line.quantity,
                unit=articles[line.article_id].price,
                total=_with_tax(articles[line.article_id].price * line.quantity, basket),
            )
            for position, line in enumerate(wanted)
        ]
        total = sum(line.total for line in lines)
        net = sum(line.unit * line.quantity for line in lines)
        if total != body.expected_total.amount:
            raise HttpError(409, "The price has changed.")
        order = _placed(basket, lines, total, body.card_token)
    return Status(
        201,
        {
            "id": order.id,
            "state": order.state,
            "lines": [
                {
                    "sku": line.sku,
                    "title": line.title,
                    "quantity": line.quantity,
                    "unit": _money(line.unit, order.currency),
                    "total": _money(line.total, order.currency),
                }
                for line in lines
            ],
            "address": order.address,
            "number": number_of(order.id),
            "net": _money(net, order.currency),
            "discount": _money(0, order.currency),
            "shipping": _money(0, order.currency),
            "coupon": "",
            "coupon_discount": _money(0, order.currency),
            "tax": _money(total - net, order.currency),
            "taxes": [
                {
                    "rate": TAX_PERCENT * 100,
                    "net": _money(net, order.currency),
                    "amount": _money(total - net, order.currency),
                }
            ],
            "total": _money(total, order.currency),
            "refunded": _money(0, order.currency),
            "tracking": "",
            "placed_at": order.placed_at,
            "problem": "",
        },
    )


def _placed(
    basket: models.Basket, lines: list[models.OrderLine], total: int, card_token: str
) -> models.Order:
    for line in sorted(lines, key=lambda line: line.sku):
        stock = models.Stock.objects.filter(sku=line.sku, available__gte=line.quantity)
        if not stock.update(available=F("available") - line.quantity):
            raise HttpError(409, f"Too little of {line.sku} is left.")
    now = timezone.now()
    order = models.Order(
        id=uuid4(),
        basket_id=basket.id,
        state="paid",
        currency=basket.currency,
        total=total,
        address=basket.address,
        delivery=basket.delivery,
        placed_at=now,
    )
    amount = Money(total, basket.currency)
    charge = provider().authorise(key=f"authorise:{order.id}", amount=amount, token=card_token)
    provider().capture(key=f"capture:{order.id}", charge=charge)
    models.Payment.objects.create(
        reference=order.id,
        state="captured",
        amount=total,
        currency=basket.currency,
        charge=charge,
        created_at=now,
    )
    order.save(force_insert=True)
    for line in lines:
        line.order = order
    models.OrderLine.objects.bulk_create(lines)
    models.Outbox.objects.create(
        id=uuid4(),
        name="order_placed",
        body={
            "order_id": str(order.id),
            "lines": [{"sku": line.sku, "quantity": line.quantity} for line in lines],
            "total": _money(total, basket.currency),
        },
        created_at=now,
    )
    models.Basket.objects.filter(pk=basket.pk).update(order_id=order.id)
    return order


def _set(basket_id: UUID, **fields: Any) -> Status[None]:
    if not models.Basket.objects.filter(pk=basket_id, order_id=None).update(**fields):
        raise HttpError(404, "There is no such basket.")
    return Status(204, None)


def _with_tax(net: int, basket: models.Basket) -> int:
    return net if basket.address is None else net + round(net * TAX_PERCENT / 100)


def _money(amount: int, currency: str) -> dict[str, Any]:
    return {"amount": amount, "currency": currency}
