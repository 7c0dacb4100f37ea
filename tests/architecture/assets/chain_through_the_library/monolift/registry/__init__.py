import django.apps

from modules.orders.apps import TheModule

Module = use = (TheModule, django.apps)
