"""How a password is checked, wherever in the shop: the pages, the API, the admin."""

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from config.identity.models import User
from config.identity.throttle import count_sign_in, forgive


class ThrottledBackend(ModelBackend):
    """Django's backend, which takes as long for an unknown address; tries are counted."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """The user, or None. Raises TooManyAttempts."""
        email = username if username is not None else kwargs.get(User.USERNAME_FIELD)
        if email is None or password is None:
            return None
        count_sign_in(request, email)
        user = super().authenticate(request, username=email, password=password)
        if user is not None:
            forgive(request, email)
        return user

    async def aauthenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """The same."""
        check = sync_to_async(self.authenticate)
        return await check(request, username=username, password=password, **kwargs)
