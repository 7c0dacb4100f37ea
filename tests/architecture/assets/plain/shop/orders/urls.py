"""Addresses of orders."""

from django.urls import path

from shop.orders import views

app_name = "orders"
urlpatterns = [path("", views.of_customer, name="list")]
