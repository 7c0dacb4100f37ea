# ruff: noqa: PT009 - a plain Django project tests with unittest
"""The tests of the project: they hold before and after."""

from unittest import mock

from catalog.models import Product
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.test import TestCase
from notes.models import Note
from shop.models import Movement, Shelf, Stock

from orders import services
from orders.models import Line, Order


class Orders(TestCase):
    """Ordering."""

    def setUp(self) -> None:
        self.shelf = Shelf.objects.create(name="one")
        self.product = Product.objects.create(name="tea")
        self.stock = Stock.objects.create(product=self.product, shelf=self.shelf, quantity=2)

    def test_an_order_names_its_stock(self) -> None:
        order = services.place(self.stock, quantity=1)
        self.assertEqual(list(order.stocks.all()), [self.stock])
        self.assertEqual(Line.objects.get().product_key(), self.product.pk)
        self.assertEqual(services.lines_of(self.product.pk), 1)
        Movement.objects.create(stock=self.stock, quantity=-1)
        self.assertEqual(self.stock.movements.count(), 1)

    def test_low_stock_is_found(self) -> None:
        self.assertEqual(services.low(), [self.stock.code])
        self.assertEqual(self.stock.neighbours(), [])
        self.assertEqual(self.shelf.first(), self.stock)

    def test_permissions_hold(self) -> None:
        user = User.objects.create_user("ann")
        kind = ContentType.objects.get_for_model(Stock)
        user.user_permissions.set(Permission.objects.filter(content_type=kind))
        self.assertTrue(services.may_count(user))

    def test_a_page_shows_it(self) -> None:
        order = services.place(self.stock, quantity=1)
        self.client.force_login(User.objects.create_superuser("root"))
        page = self.client.get(f"/orders/{order.pk}/").content.decode()
        self.assertIn("may count", page)
        self.assertIn(self.stock.code, page)

    def test_notes_find_their_subject(self) -> None:
        note = Note.objects.create(subject=self.stock, text="here")
        self.assertEqual(Note.objects.get(pk=note.pk).subject, self.stock)

    def test_names_can_be_replaced(self) -> None:
        with mock.patch("shop.models.Stock.neighbours", return_value=["x"]):
            self.assertEqual(self.stock.neighbours(), ["x"])

    def test_fixtures_load(self) -> None:
        from django.core.management import call_command

        call_command("loaddata", "one", verbosity=0)
        self.assertTrue(Stock.objects.filter(code="F").exists())
        self.assertFalse(Order.objects.exists())
