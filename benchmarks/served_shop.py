"""The shop for a WSGI server."""

import django

django.setup()

from benchmarks.applications import shop  # noqa: E402 - needs Django

application = shop()
