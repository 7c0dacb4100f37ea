"""The tests' settings with short leases, so that what a killed worker held is soon taken over."""

import os

from tests import settings as usual
from tests.settings import *  # noqa: F403 - all but one setting

DEBUG = False  # as in production: Django writes no statement down
MONOLIFT = {
    **usual.MONOLIFT,
    "LEASE": 2.0,
    "POLL": 0.2,
    "BACKOFF": 0.05,
    "BACKOFF_MAX": 1.0,
    "ATTEMPTS": int(os.environ.get("MONOLIFT_CHAOS_ATTEMPTS", "1000")),
}
