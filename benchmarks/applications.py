"""The two WSGI applications that are compared: the shop's, and one with Django's middleware only.

Both know the same routes. They differ in what a request passes on its way.
"""

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.test.utils import override_settings


def shop() -> WSGIHandler:
    """The shop as it is deployed."""
    return WSGIHandler()


def plain() -> WSGIHandler:
    """The same Django without the library's and the shop's middleware."""
    with override_settings(MIDDLEWARE=settings.PLAIN_MIDDLEWARE):
        return WSGIHandler()
