from django.db import connections

from modules.orders.models import Line

JOINED = """
    SELECT * FROM orders_line
    JOIN "inventory_stock" ON true
"""


def count():
    cursor = connections[Line.objects.db].cursor()
    cursor.execute("UPDATE inventory_stock SET sku = %s", ["a"])
    return Line.objects.raw("SELECT * FROM public.inventory_stock")


def in_pieces():
    return Line.objects.extra(where=["sku IN (SELECT sku FROM inventory_stock)"])


def beside_its_own():
    return Line.objects.extra(tables=["inventory_stock", "orders_line"])
