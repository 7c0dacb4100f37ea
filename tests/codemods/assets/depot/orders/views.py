"""The page of an order."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from orders.models import Line


def order_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show it."""
    lines = Line.objects.filter(order_id=pk)
    link = reverse("admin:shop_stock_changelist")
    return render(request, "orders/order.html", {"lines": lines, "link": link})
