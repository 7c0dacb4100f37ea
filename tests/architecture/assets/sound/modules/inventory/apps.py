from monolift.registry import Module


class TheModule(Module):
    name = "modules.inventory"
    owner = "team-inventory"
