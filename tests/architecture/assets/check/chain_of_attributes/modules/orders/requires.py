import modules.inventory.interface
import modules as everything


def count():
    modules.orders.models.Order
    modules.inventory.interface.Inventory
    modules.inventory.nothing_there
    return modules.inventory.services.count("sku")


def more():
    return everything.inventory.models.Stock
