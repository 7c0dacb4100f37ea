"""The shop's settings for tests: calls through the codec, the library's small world installed."""

import os
import tempfile

# Each test process keeps its files apart, so that tests never touch a running shop's data.
os.environ.setdefault("MONOLIFT_DATA", tempfile.mkdtemp(prefix="monolift-tests-"))
os.environ.setdefault("MONOLIFT_TRANSPORT", "loopback")

from config import settings as shop
from config.settings import *  # noqa: F403 - the shop's settings are the point

WORLD = ("stock", "cards", "sales")
INSTALLED_APPS = [*shop.INSTALLED_APPS, *(f"tests.library.world.{name}" for name in WORLD)]
MONOLIFT = {**shop.MONOLIFT, "BACKOFF": 0.01, "WAKE": "datagram"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if len(shop.DATABASES) > 1:
    DATABASES = {**shop.DATABASES, **{name: shop.database(name) for name in WORLD}}
