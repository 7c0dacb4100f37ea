from monolift import Module


class StorefrontModule(Module):
    name = "modules.storefront"
    owner = "team-web"
