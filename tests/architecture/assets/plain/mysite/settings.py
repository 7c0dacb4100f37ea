"""A plain project, without anything of monolift: a small shop whose apps grew together."""

SECRET_KEY = "plain"
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "shop.catalogue",
    "shop.customers",
    "shop.orders",
    "shop.pages",
    "shop.reports.apps.ReportsConfig",
]
ROOT_URLCONF = "mysite.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {"default": {"ENGINE": "mysite.engine", "NAME": "shop"}}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://cache.invalid:6379",
    }
}
ORDERS_PAGE_SIZE = 20
