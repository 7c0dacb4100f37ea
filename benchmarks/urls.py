"""The shop's routes and the floor's."""

from django.urls import URLPattern, URLResolver, path

from benchmarks.floor.api import api as floor
from config.urls import urlpatterns as shop

urlpatterns: list[URLPattern | URLResolver] = [*shop, path("floor/v1/", floor.urls)]
