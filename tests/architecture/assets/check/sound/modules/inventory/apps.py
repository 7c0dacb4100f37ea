from monolift import Module


class InventoryModule(Module):
    name = "modules.inventory"
    owner = "team-supply"
