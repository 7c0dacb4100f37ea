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
