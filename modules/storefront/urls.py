"""The addresses of the pages. A basket has none: its id is in a cookie, or in a session."""

from django.urls import path

from modules.storefront.views import (
    account,
    addresses,
    bank,
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
    path("basket/coupon", basket.coupon, name="coupon"),
    path("checkout", checkout.show, name="checkout"),
    path("checkout/authenticated", checkout.authenticated, name="authenticated"),
    path("sandbox/bank/<str:challenge_id>", bank.show, name="bank"),
    path("orders/<str:order_id>", order.show, name="order"),
    path("orders/<str:order_id>/cancel", order.cancel, name="cancel"),
    path("orders/<str:order_id>/invoice", order.invoice, name="invoice"),
    path("account", account.show, name="account"),
    path("account/profile", account.profile, name="profile"),
    path("account/addresses", addresses.show, name="addresses"),
    path("account/addresses/<uuid:address_id>", addresses.edit, name="address"),
    path("currency", currency.choose, name="currency"),
]
