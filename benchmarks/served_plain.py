"""The plain application for a WSGI server."""

import django

django.setup()

from benchmarks.applications import plain  # noqa: E402 - needs Django

application = plain()
