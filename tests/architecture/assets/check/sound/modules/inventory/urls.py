app_name = "inventory"
urlpatterns = [path("", page, name="page")]
