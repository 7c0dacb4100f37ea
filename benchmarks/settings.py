"""The shop's production settings, with the probe and the floor beside it."""

from config import settings as shop
from config.settings import *  # noqa: F403 - the shop's settings are the point

INSTALLED_APPS = [*shop.INSTALLED_APPS, "benchmarks.probe", "benchmarks.floor"]
ROOT_URLCONF = "benchmarks.urls"
# The card network answers at once, to the shop and to the floor alike.
PAYMENTS = {"PROVIDER": "benchmarks.provider.InstantProvider"}

# What the shop's WSGI application has and a plain one has not.
PLAIN_MIDDLEWARE = [
    name for name in shop.MIDDLEWARE if not name.startswith(("monolift.", "config."))
]
