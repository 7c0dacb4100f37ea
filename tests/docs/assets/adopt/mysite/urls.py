from django.urls import include, path
from rest_framework.routers import SimpleRouter
from shop.orders import views
from shop.stock.api import StockViewSet

router = SimpleRouter()
router.register("stock", StockViewSet, basename="stock")

urlpatterns = [
    path("orders/", views.buy),
    path("orders/later/", views.buy_async),
    path("", include(router.urls)),
]
