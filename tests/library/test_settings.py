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
        ({"WAKE": "pigeon"}, "'pigeon': choose from pipe, notify, poll"),
        ({"TRANSPORT": "http"}, "'http': choose from local, loopback"),
        ({"CALLS_IN_TRANSACTION": None}, "None: choose from refuse, warn"),
        ({"STREAM": "pigeon"}, "'pigeon': choose from http, redis, kafka"),
        ({"STREAM": "redis"}, 'STREAM_URL.*"redis://'),
        ({"STREAM": "redis", "STREAM_URL": "127.0.0.1:6379"}, 'STREAM_URL.*"redis://'),
        ({"STREAM": "kafka"}, "bootstrap servers"),
        ({"STREAM": "kafka", "STREAM_URL": "http://127.0.0.1"}, "bootstrap servers"),
        ({"URLS": {"warehouse": "warehouse:8000"}}, "'warehouse': url is 'warehouse:8000'"),
        ({"URLS": "http://warehouse"}, "give each deployable's URL"),
        ({"KEYS": None}, r"MONOLIFT\['KEYS'\] is no list"),
        ({"KEYS": ["very-secret"]}, r"Key 1 of MONOLIFT\['KEYS'\] is not as it should be"),
        ({"KEYS": [{"id": "a", "secret": "b" * 32}]}, "with id, secret, issuer"),
    ],
)
def test_a_wrong_setting_is_named(settings: Settings, given: dict[str, Any], told: str) -> None:
    settings.MONOLIFT = given
    with pytest.raises(ImproperlyConfigured, match=told):
        setting("DATA")


def test_a_misplaced_secret_is_not_shown(settings: Settings) -> None:
    settings.MONOLIFT = {"KEYS": ["very-secret"]}
    with pytest.raises(ImproperlyConfigured) as error:
        setting("DATA")
    assert "very-secret" not in str(error.value)
