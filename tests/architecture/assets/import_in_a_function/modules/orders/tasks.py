def count():
    """Late, but an import all the same."""
    from modules.inventory.queries import found

    return found
