"""The addresses of the pages. A basket has none: its id is in a cookie, or in a session."""

from django.urls import path

from modules.storefront.views import (
    account,
    basket,
    checkout,
    currency,
    home,
    listing,
    order,
    products,
    search,
)

app_name = "storefront"
urlpatterns = [
    path("", home.show, name="home"),
    path("products", listing.products, name="products"),
    path("categories/<str:slug>", listing.category, name="category"),
    path("products/<str:slug>", products.show, name="product"),
    path("products/<str:slug>/add", products.add, name="add"),
    path("search", search.show, name="search"),
    path("search/suggestions", search.suggest, name="suggest"),
    path("basket", basket.show, name="basket"),
    path("basket/change", basket.change, name="change"),
    path("checkout", checkout.show, name="checkout"),
    path("orders/<str:order_id>", order.show, name="order"),
    path("account", account.show, name="account"),
    path("currency", currency.choose, name="currency"),
]
