from monolift import Module


class OrdersModule(Module):
    name = "modules.orders"
    owner = "team-checkout"
