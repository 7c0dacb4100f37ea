SECRET_KEY = "only-here"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.messages",
    "django.contrib.admin",
    "modules.stock",
    "modules.sales",
    "modules.quiet",
]
DATABASES = {"default": {"ENGINE": "mysite.refusing", "NAME": ":memory:"}}
