"""The Django app of the platform's tables."""

from django.apps import AppConfig


class TablesConfig(AppConfig):
    """Install as `monolift.db`, beside `monolift`."""

    name = "monolift.db"
    label = "monolift_db"
    verbose_name = "monolift tables"
