"""The mail server of these tests."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.mailing import use_mail_server
from tests.modules.notifications.smtp import MailServer


@pytest.fixture
def server(settings: Settings) -> Iterator[MailServer]:
    """A mail server, which the shop uses."""
    with MailServer() as server:
        use_mail_server(settings, server.port)
        yield server
