"""The port to where pictures are kept. One is configured: `CATALOG["PICTURES"]`."""

from functools import cache
from typing import IO, Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class Pictures(Protocol):
    """Keeps pictures that are uploaded."""

    def check(self, *, file: IO[bytes], name: str) -> None:
        """Raises ValueError, with a message for whoever uploads it, for what cannot be shown."""
        ...

    def keep(self, *, file: IO[bytes], name: str) -> str:
        """Check it, keep it, and give its path below the static files. Raises ValueError.

        Keeping the same picture twice gives the same path.
        """
        ...


def pictures() -> Pictures:
    """The configured keeper."""
    return _made(settings.CATALOG["PICTURES"])


@cache
def _made(path: str) -> Pictures:
    made: Pictures = import_string(path)()
    return made
