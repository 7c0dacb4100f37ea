"""The storefront as a module."""

from monolift import Module


class StorefrontModule(Module):
    """The pages of the shop."""

    name = "modules.storefront"
    owner = "team-web"
