"""The admin and one page."""

from django.contrib import admin
from django.urls import path
from orders.views import order_page

urlpatterns = [
    path("admin/", admin.site.urls),
    path("orders/<int:pk>/", order_page, name="order"),
]
