class StockLow:
    """Few are left."""
