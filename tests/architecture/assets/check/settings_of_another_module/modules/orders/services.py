from django import conf
from django.conf import settings


def limits():
    return settings.INVENTORY_LIMIT, getattr(settings, "INVENTORY", None), conf.settings.INVENTORY_X
