"""What can be done with orders."""

import shop.models
from catalog.models import Product
from django.apps import apps
from django.contrib.auth.models import AbstractBaseUser
from shop import models as shop_models

from orders.models import Line, Order


def place(stock: "shop_models.Stock", *, quantity: int) -> Order:
    """Order a quantity of a stock."""
    order = Order.objects.create()
    product = Product.objects.get(pk=stock.product_id)
    Line.objects.create(order=order, stock=stock, product=product, quantity=quantity)
    return order


def low() -> list[str]:
    """Codes of what is nearly gone, three ways."""
    ways = [
        shop_models.Stock,
        shop.models.Stock,
        apps.get_model("shop", "Stock"),
        apps.get_model("shop.Stock"),
    ]
    return sorted(
        {code for way in ways for code in way.objects.low().values_list("code", flat=True)}
    )


def may_count(user: AbstractBaseUser) -> bool:
    """True for somebody who may count."""
    return user.has_perm("shop.count_stock") and user.has_perm("shop.change_stock")


def lines_of(key: int) -> int:
    """How many lines a product has."""
    return Line.objects.filter(product__id=key).count()
