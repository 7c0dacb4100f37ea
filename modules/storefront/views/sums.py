"""What something costs, line by line, as pages show it."""

from dataclasses import dataclass
from typing import Self

from modules.storefront.requires import Basket, Order, Quote
from monolift.kernel import Money


@dataclass(frozen=True, kw_only=True, slots=True)
class Sums:
    """goods - discount - coupon_discount + delivery + tax = total.

    `country` is the name of where it goes; while it is not known, delivery and tax are not either,
    and the total is the one before them.
    """

    goods: Money
    discount: Money
    coupon: str
    coupon_discount: Money
    delivery: Money
    tax: Money
    total: Money
    country: str

    @classmethod
    def of_basket(cls, basket: Basket, country: str) -> Self:
        """What a basket says."""
        return cls(
            goods=basket.net,
            discount=basket.discount - basket.coupon_discount,
            coupon=basket.coupon,
            coupon_discount=basket.coupon_discount,
            delivery=basket.shipping,
            tax=basket.tax,
            total=basket.total,
            country=country,
        )

    @classmethod
    def of_quote(cls, quote: Quote, *, coupon: str, country: str) -> Self:
        """What pricing says of a basket that would go there."""
        return cls(
            goods=quote.net,
            discount=quote.discount - quote.coupon_discount,
            coupon=coupon,
            coupon_discount=quote.coupon_discount,
            delivery=quote.delivery,
            tax=quote.tax,
            total=quote.total,
            country=country,
        )

    @classmethod
    def of_order(cls, order: Order, country: str) -> Self | None:
        """What was paid; None while an order has no sums yet."""
        if order.net is None or order.total is None or order.tax is None:
            return None
        nothing = Money.zero(order.total.currency)
        coupon_discount = order.coupon_discount or nothing
        return cls(
            goods=order.net,
            discount=(order.discount or nothing) - coupon_discount,
            coupon=order.coupon,
            coupon_discount=coupon_discount,
            delivery=order.shipping or nothing,
            tax=order.tax,
            total=order.total,
            country=country,
        )
