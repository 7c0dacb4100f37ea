"""The shop's routes and the floor's."""

from django.urls import URLPattern, URLResolver, include, path

from benchmarks.floor.api import api as floor
from config.urls import urlpatterns as shop

urlpatterns: list[URLPattern | URLResolver] = [
    *shop,
    path("floor/v1/", floor.urls),
    path("floor/answer/", include("benchmarks.floor.plain_answer")),
    path("floor/pages/", include("benchmarks.floor.plain_pages")),
]
