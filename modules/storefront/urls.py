"""The addresses of the pages. A basket has none: its id is in a cookie."""

from django.urls import path

from modules.storefront.views import basket, checkout, currency, order, products

app_name = "storefront"
urlpatterns = [
    path("", products.shelf, name="shelf"),
    path("products/<str:slug>", products.product, name="product"),
    path("products/<str:slug>/add", products.add, name="add"),
    path("basket", basket.show, name="basket"),
    path("basket/change", basket.change, name="change"),
    path("checkout", checkout.show, name="checkout"),
    path("orders/<str:order_id>", order.show, name="order"),
    path("currency", currency.choose, name="currency"),
]
