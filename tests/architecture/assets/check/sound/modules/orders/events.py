class OrderPlaced:
    """Somebody bought."""
