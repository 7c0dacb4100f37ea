"""The settings of chaos, with the databases of a lift: `MONOLIFT_CHAOS_DATABASES`, as JSON."""

import json
import os

from tests.chaos.settings import *  # noqa: F403 - all but the databases

DATABASES = json.loads(os.environ["MONOLIFT_CHAOS_DATABASES"])
