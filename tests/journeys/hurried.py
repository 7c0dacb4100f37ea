"""The shop's settings, with parcels that are packed at once."""

from config.settings import *  # noqa: F403 - the shop's settings are the point
from config.settings import SHIPPING as _SHIPPING

SHIPPING = {**_SHIPPING, "HAND_OVER_AFTER": 0}
