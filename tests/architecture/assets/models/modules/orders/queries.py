from django.contrib.auth import get_user_model
from django.db.models import Case, Count, F, OuterRef, Q, Sum, When
from django.shortcuts import get_object_or_404

from modules.orders.models import Line, Order


def filtered():
    return Line.objects.filter(product__name="x")  # caught: lookup


def by_dictionary():
    return Order.objects.exclude(**{"lines__product__price": 1})  # caught: lookup


def one():
    return get_object_or_404(Line, product__name__iexact="x")  # caught: lookup


def by_condition():
    return Line.objects.filter(Q(order__number="1") | Q(product__maker=1))  # caught: lookup


def valued():
    return Order.objects.values_list("lines__product__name")  # caught: lookup


def valued_too(order: Order):
    return order.lines.values("product__price")  # caught: lookup


def ordered():
    return Line.objects.order_by("-product")  # caught: lookup


def computed():
    return Line.objects.annotate(price=F("product__price"))  # caught: lookup


def summed():
    return Line.objects.aggregate(Sum("product__price"))  # caught: lookup


def loaded():
    return Line.objects.select_related("product")  # caught: lookup


def loaded_later():
    return Order.objects.prefetch_related("lines__product")  # caught: lookup


def some():
    return Line.objects.only("product__name")  # caught: lookup


def others():
    return Line.objects.defer("product__name")  # caught: lookup


def of_unknown(lines):
    return lines.filter(product__name="x")  # caught: lookup


def outer():
    return Order.objects.filter(number=OuterRef("product__name"))  # caught: lookup


def cased():
    return Line.objects.annotate(n=Case(When(product__name="x", then=1)))  # caught: lookup


class Lines:
    model = Line

    def get_queryset(self):
        return super().get_queryset().filter(product__name="x")  # caught: lookup


def further():
    return Order.objects.filter(seen__wished_by__who="x")  # caught: lookup


# --- what must not be caught ---------------------------------------------------------------------


def own():
    return Order.objects.filter(lines__quantity=1).values("lines__order__number")  # allowed: lookup


def keys():
    return Line.objects.filter(product=1, product_id=2, product__pk=3, product__id__in=[4])  # allowed: lookup


def counted():
    return Line.objects.filter(product__isnull=False).order_by("product_id", "product__pk")  # allowed: lookup


def keys_of_json():
    return Order.objects.filter(data__product__name="x", data__key=1)  # allowed: lookup


def named_twice():
    return Line.objects.annotate(product__total=Count("order")).filter(product__total__gt=1)  # allowed: lookup


def neutral():
    return get_user_model().objects.filter(groups__name="x")


def plain(rows):
    return rows.get("product__name"), dict(product__name=1)
