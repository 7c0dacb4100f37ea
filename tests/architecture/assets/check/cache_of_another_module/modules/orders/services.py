from django.core.cache import cache, caches


def peek(sku):
    cache.get(f"inventory:{sku}")
    caches["default"].set("inventory/" + sku, 1)
    cache.get_many(["inventory.a", "orders.b"])
    cache.delete("inventory-%s" % sku)


def named():
    cache.get(key="inventory:a", default="orders:b")
