from django.db import transaction

from shop.orders.models import Order
from shop.stock.models import Stock


class OutOfStock(Exception):
    pass


def buy(sku, quantity):
    with transaction.atomic():
        stock = Stock.objects.select_for_update().get(sku=sku)
        if stock.on_hand < quantity:
            raise OutOfStock(sku)
        stock.on_hand -= quantity
        stock.save()
        return Order.objects.create(stock=stock, quantity=quantity)
