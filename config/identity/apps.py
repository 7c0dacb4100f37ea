"""Identity as a Django app."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    """The user model."""

    name = "config.identity"
    label = "identity"
