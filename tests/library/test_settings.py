"""What the `MONOLIFT` setting refuses, and how it says so."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from monolift.registry.settings import setting


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"WEAK": "notify"}, "has no setting 'WEAK'. It has: .*WAKE"),
        ({"WAKE": "pigeon"}, "'pigeon': choose from datagram, notify, poll"),
        ({"TRANSPORT": "http"}, "'http': choose from local, loopback"),
        ({"CALLS_IN_TRANSACTION": None}, "None: choose from refuse, warn"),
    ],
)
def test_a_wrong_setting_is_named(settings: Settings, given: dict[str, Any], told: str) -> None:
    settings.MONOLIFT = given
    with pytest.raises(ImproperlyConfigured, match=told):
        setting("DATA")
