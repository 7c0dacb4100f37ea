from modules.orders.api import router

urlpatterns = [router]
