"""The routes."""

from django.conf import settings
from django.contrib import admin
from django.contrib.staticfiles.views import serve
from django.urls import URLPattern, URLResolver, include, path

from config.api import api
from config.health import healthz

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz),
    path("_monolift/", include("monolift.gateway.deployables")),
    path("api/v1/", api.urls),
    path("admin/", admin.site.urls),
    path("account/", include("config.identity.urls")),
    path("", include("modules.storefront.urls")),
]
if settings.SERVE_STATIC:
    # Straight from where the files are: one process is the whole shop until there is a proxy.
    urlpatterns.append(path("static/<path:path>", serve, {"insecure": True}))
