"""The floor as a plain Django app."""

from django.apps import AppConfig


class FloorConfig(AppConfig):
    """The hand-written checkout."""

    name = "benchmarks.floor"
    default_auto_field = "django.db.models.BigAutoField"
