from monolift.registry import Module


class TheModule(Module):
    name = "modules.orders"
    owner = "team-orders"
