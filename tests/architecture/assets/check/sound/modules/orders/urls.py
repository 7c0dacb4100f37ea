app_name = "orders"
urlpatterns = [path("", page, name="page")]
