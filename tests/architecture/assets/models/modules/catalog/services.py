from django.db.models import Count, Prefetch, Q

from modules.catalog.models import Maker, Note, Product, Shelf
from modules.orders.models import Order


def sold(product: Product):
    return product.line_set.count()  # caught: reverse-accessor


def sold_by_number(number):
    product = Product.objects.get(pk=number)
    return [line for line in product.line_set.all()]  # caught: reverse-accessor


def of_unknown_class(thing):
    return thing.wished_by.exists()  # caught: reverse-accessor


def the_only(shelf: "Shelf"):
    return shelf.place  # caught: reverse-accessor


def by_name(product: Product | None):
    return getattr(product, "line_set")  # caught: reverse-accessor


def fetched():
    return Product.objects.prefetch_related("line_set")  # caught: reverse-accessor


def fetched_with_care():
    return Product.objects.prefetch_related(
        Prefetch("line_set", to_attr="lines")  # caught: reverse-accessor
    )


def backwards():
    return Product.objects.filter(line__quantity__gt=1)  # caught: lookup


def counted():
    return Maker.objects.annotate(sales=Count("products__line"))  # caught: lookup


def of_makers(maker: Maker):
    return maker.products.exclude(Q(line__isnull=True))  # caught: lookup


def passed_along(order: Order):
    return order.lines.count()  # caught: reverse-accessor


def called_as_its_class(latest_order):
    return latest_order.lines.count()  # caught: reverse-accessor


class ShelfForm:
    class Meta:
        model = Shelf

    def update(self, instance):
        return instance.place  # caught: reverse-accessor


# --- what must not be caught ---------------------------------------------------------------------


def own_rows(maker: Maker):
    return maker.products.filter(maker__name="x").prefetch_related("maker")  # allowed: reverse-accessor


def own_attribute(basket):
    basket.wished = 1
    return basket.lines.all()  # allowed: reverse-accessor


def many_to_many_elsewhere(thing):
    return thing.groups.all()  # allowed: reverse-accessor


def plain_dictionary(rows):
    return rows.get("line__quantity"), {"line_set": rows}


def annotated():
    return Product.objects.annotate(line__total=Count("maker")).filter(line__total__gt=2)  # allowed: lookup


def query_name_is_no_attribute(note: Note):
    return note.noted  # allowed: reverse-accessor
