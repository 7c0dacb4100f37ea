"""Identity as a Django app."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class IdentityConfig(AppConfig):
    """The user model."""

    name = "config.identity"
    label = "identity"

    def ready(self) -> None:
        """Hear of every sign-in."""
        from config.identity.devices import remember_sign_in

        user_logged_in.connect(remember_sign_in, dispatch_uid="identity.remember_sign_in")
