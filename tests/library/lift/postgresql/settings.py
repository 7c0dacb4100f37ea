"""For processes that a test starts: its databases, and the topology that the truth row says."""

import json
import os

from tests.settings import *  # noqa: F403 - the tests' settings are the point

DATABASES = json.loads(os.environ["MONOLIFT_TEST_DATABASES"])
