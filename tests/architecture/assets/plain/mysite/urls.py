"""The addresses of all apps."""

from django.urls import include, path

urlpatterns = [
    path("customers/", include("shop.customers.urls")),
    path("orders/", include("shop.orders.urls")),
]
