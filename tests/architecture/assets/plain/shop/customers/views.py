"""Pages of customers."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404

from shop.customers.models import Customer


def detail(request: Any, pk: int) -> HttpResponse:
    """A customer, with the number of orders: a query of another app's table."""
    customer = get_object_or_404(Customer, pk=pk)
    return HttpResponse(f"{customer.email}: {customer.orders.count()}")
