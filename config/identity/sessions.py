"""Django's sessions in the database, with keys of the one shape that Django itself makes.

Without it a cookie with a NUL in it reaches PostgreSQL, which refuses the statement: a fault.
"""

import re
from typing import Any

from django.contrib.sessions.backends import db

_KEY = re.compile(r"[a-z0-9]{32}", re.ASCII)


class SessionStore(db.SessionStore):
    """A session; an unlikely key is none."""

    def _validate_session_key(self, key: Any) -> bool:
        return isinstance(key, str) and _KEY.fullmatch(key) is not None
