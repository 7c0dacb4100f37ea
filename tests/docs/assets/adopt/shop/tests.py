import json

from django.test import TransactionTestCase

from shop.orders.models import Order
from shop.orders.tasks import buy_later
from shop.stock.models import Stock


class Buying(TransactionTestCase):
    def setUp(self):
        Stock.objects.create(sku="tea", on_hand=3)

    def buy(self, quantity, path="/orders/"):
        body = json.dumps({"sku": "tea", "quantity": quantity})
        return self.client.post(path, body, content_type="application/json")

    def left(self):
        return Stock.objects.get(sku="tea").on_hand

    def test_it_takes_from_the_stock(self):
        self.assertEqual(self.buy(2).status_code, 201)
        self.assertEqual((self.left(), Order.objects.count()), (1, 1))

    def test_it_refuses_too_many(self):
        self.assertEqual(self.buy(4).status_code, 409)
        self.assertEqual((self.left(), Order.objects.count()), (3, 0))

    def test_a_task_buys(self):
        buy_later.delay("tea", 1)
        self.assertEqual(self.left(), 2)

    def test_an_async_view_buys(self):
        self.assertEqual(self.buy(1, "/orders/later/").status_code, 201)
        self.assertEqual(self.left(), 2)

    def take(self, quantity):
        return self.client.post("/stock/tea/take/", {"quantity": quantity}, "application/json")

    def test_a_viewset_takes_from_the_stock(self):
        self.assertEqual((self.take(2).status_code, self.left()), (200, 1))
        self.assertEqual((self.take(2).status_code, self.left()), (409, 1))

    def test_a_serializer_refuses_nothing(self):
        self.assertEqual((self.take(0).status_code, self.left()), (400, 3))
