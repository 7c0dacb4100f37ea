from pathlib import Path

BASE_DIR = Path(__file__).parents[1]
SECRET_KEY = "only-here"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "people.User"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.messages",
    "django.contrib.admin",
    "people",
    "modules.catalog",
    "modules.orders",
    "modules.desk",
]
DATABASES = {"default": {"ENGINE": "mysite.refusing", "NAME": ":memory:"}}
