import modules as all_of_them


def count():
    return all_of_them.inventory.services.count(1)
