from modules.orders.models import Row

urlpatterns = [Row]
