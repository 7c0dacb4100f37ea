"""Addresses of customers."""

from django.urls import path

from shop.customers import views

app_name = "customers"
urlpatterns = [path("<int:pk>/", views.detail, name="detail")]
