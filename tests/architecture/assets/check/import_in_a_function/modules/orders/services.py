def reserve():
    from modules.inventory.models import Stock

    return Stock
