from django.apps import apps
from django.contrib.contenttypes.models import ContentType


def look():
    apps.get_model("inventory.Stock")
    apps.get_model("inventory", "Stock")
    apps.get_model(app_label="inventory", model_name="Stock")


class Looker:
    def look(self):
        ContentType.objects.get(app_label="inventory", model="stock")
        ContentType.objects.get_by_natural_key("inventory", "stock")


def by_its_app():
    apps.get_app_config("inventory").get_model("Stock")


def all_of_an_app():
    return list(apps.get_app_config(app_label="inventory").get_models())


def of_its_own():
    return apps.get_app_config("orders").get_model("Line"), apps.get_models()


def of_all():
    apps.all_models["inventory"]["stock"], apps.all_models["orders"]


def of_a_config():
    return apps.get_app_config("inventory").models["stock"]
