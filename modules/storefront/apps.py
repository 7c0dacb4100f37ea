"""The storefront as a module."""

from django.contrib.auth.signals import user_logged_in

from monolift import Module


class StorefrontModule(Module):
    """The pages of the shop."""

    name = "modules.storefront"
    owner = "team-web"

    def ready(self) -> None:
        """Hear of every sign-in."""
        super().ready()
        from modules.storefront.views.sign_in import claim_basket

        user_logged_in.connect(claim_basket, dispatch_uid="storefront.claim_basket")
