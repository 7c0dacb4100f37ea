"""The shop's settings for tests: calls through the codec, the library's small world installed."""

import atexit
import os
import tempfile
from pathlib import Path

from tests.leftovers import clear_up

# Tests never touch a running shop's data. The processes that a test starts are told their folder;
# xdist's workers inherit the one of the process that started them, and take a part of it each.
if "MONOLIFT_DATA" not in os.environ:
    os.environ["MONOLIFT_DATA"] = tempfile.mkdtemp(prefix="monolift-tests-")
    os.environ["MONOLIFT_TESTS_DATA"] = os.environ["MONOLIFT_DATA"]
    atexit.register(clear_up, Path(os.environ["MONOLIFT_DATA"]), os.getpid())
elif os.environ["MONOLIFT_DATA"] == os.environ.get("MONOLIFT_TESTS_DATA"):
    os.environ["MONOLIFT_DATA"] += "/" + os.environ.get("PYTEST_XDIST_WORKER", "child")
os.environ.setdefault("MONOLIFT_TRANSPORT", "loopback")

from config import settings as shop
from config.settings import *  # noqa: F403 - the shop's settings are the point

WORLD = ("stock", "cards", "sales")
INSTALLED_APPS = [*shop.INSTALLED_APPS, *(f"tests.library.world.{name}" for name in WORLD)]
WEIGH = int(os.environ.get("MONOLIFT_TESTS_WEIGH", "0"))  # what a test weighs, it says itself
MONOLIFT = {
    **shop.MONOLIFT,
    "BACKOFF": 0.01,
    "WAKE": "pipe",
    "WEIGH": WEIGH,
    "CALLS_AT_ONCE": 4,
    "SERVES_AT_ONCE": 8,
}
STOREFRONT = {"FRESH_FOR": 0}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Those that a lift would fill are for the tests that lift.
DATABASES = {"default": shop.DATABASES["default"]}
if os.environ.get("MONOLIFT_DATABASES") == "each":
    DATABASES |= {name: shop.database(name) for name in (*shop.MODULES, *WORLD)}
