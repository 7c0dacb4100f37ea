"""Pages of orders."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render

from shop.orders.models import Order


def of_customer(request: Any) -> HttpResponse:
    """The orders of an address: a join across apps."""
    found = Order.objects.filter(customer__email=request.GET["email"])
    if not found:
        return redirect("customers:detail", pk=1)
    return render(request, "orders/list.html", {"orders": found})
